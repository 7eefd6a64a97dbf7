"""`snakemake ablation` for real: two seeds of two variants."""

import copy
import csv

import pytest
from animals import write_folder
from tiny import TINY, Run

pytestmark = pytest.mark.workflow
UNMATTED = {"mattes": {"method": "none"}}


def test_the_ablation_runs_what_it_needs_and_sets_variants_and_seeds_side_by_side(tmp_path):
    rows = {f"a{number}": ("train", ("cat", "dog", "cat;dog")[number % 3]) for number in range(8)}
    write_folder(tmp_path / "animals", rows, size=(56, 64))
    run, config = Run(tmp_path), copy.deepcopy(TINY)
    config |= {"seeds": [0, 1], "evaluation": {"bootstrap": 0}, "variants": {"a": {}, "a.none": UNMATTED}}
    config["dataset"]["shard_size"], config["cam"]["epochs"], config["segmenter"]["train"] = 64, 1, False
    run.config(config)
    shared = dict.fromkeys(("cam", "activations", "trimaps"), 2)
    jobs = {"dataset": 1, **shared, **dict.fromkeys(("mattes", "labels", "evaluation"), 4), "ablation": 1}
    assert run.planned("ablation") == jobs
    assert "ablation" not in run.planned()
    run.snakemake("ablation")
    (folder,) = (tmp_path / "results/ablation").iterdir()
    assert {path.name for path in folder.iterdir()} >= {f"ablation.{suffix}" for suffix in ("md", "csv", "png")}
    found = list(csv.DictReader((folder / "ablation.csv").read_text().splitlines()))
    scored = {(row["row"], row["method"]) for row in found if row["measure"] == "labels_miou" and row["n"] == "2"}
    assert scored == {("a", "closed_form"), ("a", "none")}
    assert run.planned("ablation") == {}
    # A run less is another table, of the same scores.
    run.config({**config, "seeds": [0]})
    assert run.planned("ablation") == {"ablation": 1}
