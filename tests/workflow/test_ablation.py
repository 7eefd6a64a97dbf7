"""`snakemake ablation` for real: two seeds of two rows."""

import copy
import csv

import pytest
from animals import write_folder
from tiny import TINY, Run

pytestmark = pytest.mark.workflow


def test_the_ablation_runs_what_it_needs_and_sets_rows_and_seeds_side_by_side(tmp_path):
    rows = {f"a{number}": ("train", ("cat", "dog", "cat;dog")[number % 3]) for number in range(8)}
    write_folder(tmp_path / "animals", rows, size=(56, 64))
    run, config = Run(tmp_path), copy.deepcopy(TINY)
    plain = {
        "cam": dict.fromkeys(("category", "foreground", "consistency", "exclusivity"), 0),
        "activations": {"from": "maps", "spread": {"steps": 0}},
    }
    config |= {"seeds": [0, 1], "evaluation": {"bootstrap": 0}}
    config["cam"]["epochs"], config["segmenter"]["train"] = 1, False
    config["variants"] = {"plain": plain, "plain.none": {**plain, "mattes": {"method": "none"}}, "all": {}}
    run.config(config)
    shards = 2
    assert run.planned("ablation") == {
        "dataset": shards,
        "cam": 4,
        "activations": 4 * shards,
        "trimaps": 4 * shards,
        "mattes": 6 * shards,
        "labels": 6 * shards,
        "evaluation": 6,
        "ablation": 1,
    }
    assert "ablation" not in run.planned()
    run.snakemake("ablation")
    (folder,) = (tmp_path / "results/ablation").iterdir()
    assert {path.name for path in folder.iterdir()} >= {f"ablation.{suffix}" for suffix in ("md", "csv", "png")}
    found = list(csv.DictReader((folder / "ablation.csv").read_text().splitlines()))
    scored = {(row["row"], row["method"]) for row in found if row["measure"] == "labels_miou" and row["n"] == "2"}
    assert scored == {("plain", "closed_form"), ("plain", "none"), ("all", "closed_form")}
    assert run.planned("ablation") == {}
    config["seeds"] = [0]
    run.config(config)
    assert run.planned("ablation") == {"ablation": 1}
