from pathlib import Path

import pytest

from matlabel.runs.command_line import report, shows, unlocks


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--report", "report.html"),
        ("--report /a/b.zip all", "/a/b.zip"),
        ("all --report=b.html --cores 1", "b.html"),
        ("--report --cores 1", "report.html"),
        ("--cores 1 --report a.html --report-after-run", None),
        ("--cores 1 --report-stylesheet a.css", None),
        ("--cores 1 -- --report", None),
    ],
)
def test_a_report_alone_is_told_from_a_run_and_from_one_after_it(line, found):
    assert report(line.split()) == (found and Path(found))


def test_what_only_shows_is_told_from_a_run():
    assert all(shows(line.split()) for line in ("--summary", "all_cam -D", "--dag=dot --cores 1", "--lint"))
    assert not any(shows(line.split()) for line in ("--cores 1 all", "--touch", "--unlock", "-- --summary"))
    assert unlocks(["--unlock"])
    assert not unlocks(["--dag"])
