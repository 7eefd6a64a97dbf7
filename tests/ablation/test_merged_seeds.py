"""Seeds that ran elsewhere join a table as if they had run here."""

from pathlib import Path

import pytest
from ablation_runs import run

from matlabel.ablation.merged_seeds import joined
from matlabel.ablation.table import table_of
from matlabel.ablation.text import csv_text, markdown
from matlabel.artifacts.errors import UserError

FILE = Path("there.csv")
SCORES = {0: (0.5, 0.3), 1: (0.6, 0.35), 2: (0.55, 0.2)}


def table(*seeds):
    runs = [run("all", seed, labels=SCORES[seed][0]) for seed in seeds]
    runs += [run("all.none", seed, method="none", shared="all", labels=0.4) for seed in seeds]
    return table_of([*runs, *(run("plain", seed, labels=SCORES[seed][1]) for seed in seeds)])


@pytest.mark.parametrize(("here", "there"), [((0, 1), (2,)), ((2,), (0, 1)), ((1,), (0, 2))])
def test_the_joined_table_is_that_of_all_seeds_together(here, there):
    found = joined(table(*here), csv_text(table(*there)), FILE)
    assert csv_text(found) == csv_text(table(0, 1, 2))
    assert markdown(found, "p.png") == markdown(table(0, 1, 2), "p.png")


def test_a_row_that_did_not_run_there_says_of_how_many_seeds_it_is():
    there = "\n".join(line for line in csv_text(table(1, 2)).splitlines() if not line.startswith("plain")) + "\n"
    text = markdown(joined(table(0), there, FILE), "p.png")
    assert "| plain " in text
    assert "(1 of 3)" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (csv_text(table(0)), "seed 0 is in this ablation as well"),
        ("", "no row of this ablation"),
        ("row,measure,method,seed_1\nother,labels_miou,none,.5\n", "no row of this ablation is in it; its rows: other"),
        ("row,measure,method,seed_x\nall,labels_miou,none,.5\n", "not the CSV of an ablation"),
        ("name,seed_1\nall,.5\n", "not the CSV of an ablation"),
    ],
)
def test_a_csv_that_does_not_fit_is_a_message(text, message):
    with pytest.raises(UserError, match=message):
        joined(table(0, 2), text, FILE)
