"""Every kind of bad input ends in one message or is understood: docs/bad-input.md has the table of both."""

import os
from pathlib import Path

import config_rows
import data_rows
import maps_rows
import picture_rows
import pytest
from rows import Row, message, ran

ALL = {
    "Photographs": data_rows.PHOTOGRAPHS,
    "Tables and classes": data_rows.TABLES,
    "Masks": data_rows.MASKS,
    "Tags": data_rows.TAGS,
    "Trimaps, corrections": picture_rows.ROWS,
    "Config files": config_rows.FILES,
    "Settings": config_rows.SETTINGS,
    "Weights (`cam.weights`)": config_rows.WEIGHTS,
    "Maps of one's own": maps_rows.MAPS,
    "`matlabel convert`": maps_rows.CONVERT,
}
PAGE = Path(__file__).parents[2] / "docs/bad-input.md"
HEAD = """# Bad input

What the commands say of input that is not in order: made by `tests/bad_input` from real runs, with the exit code \
(0: it is understood, and said how; 2: nothing was computed). `MATLABEL_WRITE_DOCS=1 pytest tests/bad_input` renews it.
"""


def line(row: Row, folder: Path) -> str:
    code, printed = ran(row, folder)
    assert "Traceback" not in printed
    assert code in (0, 2), printed
    assert message(printed) or code == 0, "nothing is said"
    return f"| {row.input} | {code} | {message(printed) or 'understood'} |"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The page as it should be, made once."""
    parts = [HEAD]
    for title, rows in ALL.items():
        parts.append(f"## {title}\n\n| input | exit | what is said |\n|---|---|---|")
        parts[-1] += "".join(f"\n{line(row, tmp_path_factory.mktemp('row'))}" for row in rows) + "\n"
    text = "\n".join(parts)
    if os.environ.get("MATLABEL_WRITE_DOCS"):
        PAGE.write_text(text)
    return text


def test_the_page_says_what_is_said_today(table):
    assert PAGE.read_text() == table


def test_the_sound_folder_is_silent(tmp_path):
    for command in (data_rows.Row("", lambda f: None).command, picture_rows.MATTE):
        folder = tmp_path / command[0]
        folder.mkdir()
        code, printed = ran(Row("nothing", lambda f: None, command), folder)
        assert (code, message(printed)) == (0, "alpha.png" if command[0] == "matte" else "")
