import csv

import pytest
from ablation_runs import run

from matlabel.ablation.section import with_section
from matlabel.ablation.table import table_of
from matlabel.ablation.text import csv_text, markdown
from matlabel.artifacts.errors import UserError


def lines_of(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


@pytest.fixture
def table():
    runs = [run("plain", seed, labels=0.3 + 0.02 * seed) for seed in range(3)]
    runs += [run("b", 0, labels=0.25), run("b", 1, labels=0.27), run("b", 2, labels=None)]
    return table_of(runs)


def test_markdown_has_a_cell_for_each_row_and_column(table):
    lines = lines_of(markdown(table, "ablation.png"))
    assert {len(line) for line in lines} == {1 + len(table.columns)}
    at = lines[0].index("mIoU, closed_form")
    assert lines[2][0::at] == ["plain", "32.0 ± 2.0"]
    assert lines[3][0::at] == ["b", "26.0 ± 1.4 (2 of 3)"]
    assert lines[3][lines[0].index("mIoU − plain")] == "−5.0 ± 0.0 (2 of 3)"
    assert lines[2][lines[0].index("mIoU − plain")] == "–"


def test_markdown_says_what_it_was_measured_on(table):
    text = markdown(table, "images/a.png")
    assert "Mean ± standard deviation over the random seeds 0, 1, 2" in text
    assert "scored on 3 of the 6 training images with masks" in text
    assert "`evaluation.void: wrong`" in text
    assert "(n of 3)" in text
    assert "(images/a.png)" in text


def test_rows_that_were_measured_on_other_images_are_named():
    text = markdown(table_of([run("a", 0), run("b", 0, images={"tuning": 8, "scoring": 8})]), "p.png")
    assert "a: Seeds, trimaps and labels are scored on 3 of the 6" in text
    assert "b: Seeds, trimaps and labels are scored on 8 of the 16" in text


def test_the_csv_holds_every_seed(table):
    rows = list(csv.DictReader(csv_text(table).splitlines()))
    found = {(row["row"], row["measure"], row["method"]): row for row in rows}
    assert len(found) == len(rows) == 2 * len(table.columns)
    labels = found["b", "labels_miou", "closed_form"]
    assert [labels[name] for name in ("n", "mean", "seed_0", "seed_1", "seed_2")] == ["2", "0.26", "0.25", "0.27", ""]
    assert found["plain", "labels_miou_minus_plain", "closed_form"]["mean"] == ""


def test_only_what_is_between_the_markers_is_replaced(tmp_path):
    before = "# Results\n\n<!-- ablation -->\nold\n<!-- /ablation -->\n\nThe rest\n"
    once = with_section(before, "new\n", tmp_path)
    assert once == "# Results\n\n<!-- ablation -->\n\nnew\n\n<!-- /ablation -->\n\nThe rest\n"
    assert with_section(once, "new\n", tmp_path) == once


@pytest.mark.parametrize(
    "text",
    [
        "# Results\n",
        "<!-- ablation -->\n",
        "<!-- /ablation -->\n<!-- ablation -->\n",
        "<!-- ablation -->\n<!-- ablation -->\n<!-- /ablation -->\n",
        "says `<!-- ablation -->` and `<!-- /ablation -->`\n",
    ],
)
def test_missing_or_doubled_markers_are_said(text, tmp_path):
    with pytest.raises(UserError, match=r"results\.md: the lines <!-- ablation --> and <!-- /ablation --> must stand"):
        with_section(text, "new", tmp_path / "results.md")
