"""The stage cam as a job runs it: what it leaves, what it says, and its loading processes."""

import csv
import json
import os
import signal
from pathlib import Path

import pytest
import torch
from small_training import SMALL

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import provenance_path
from matlabel.artifacts.weights import load_weights, ours
from matlabel.cam import stage
from matlabel.cam.samples import TaggedImages
from matlabel.dataset import stage as dataset_stage
from matlabel.runs import Plan


@pytest.fixture
def train(animals, tmp_path, monkeypatch):
    """Run the stage with these settings; its folder."""
    monkeypatch.chdir(tmp_path)

    def run(workers=None, **changes):
        cam = {**SMALL, "epochs": 1, "steps": 4, "warmup": 2, **changes}
        config = {"dataset": {"format": "folder", "path": str(animals)}, "cam": cam, "evaluation": {"splits": ["val"]}}
        plan = Plan(config, write=True)
        keys = plan.chains["default", 0]
        for number in plan.data.shards:
            settings, shard = plan.settings_file(keys["dataset"]), plan.shard_csv(number)
            dataset_stage.run(Path(settings), Path(shard), Path(plan.artifact(keys["dataset"], number)))
        node = plan.node(keys["cam"])
        out = Path(plan.artifact(keys["cam"]))
        settings, shards = Path(plan.settings_file(keys["cam"])), Path(plan.list_file(plan.splits(node)))
        stage.run(settings, shards, out, "cpu", workers=workers)
        return out.parent

    return run


def test_the_check_lies_beside_the_weights_and_no_checkpoint_is_left(train):
    folder = train()
    assert {path.name for path in folder.iterdir() if "provenance" not in path.name} == {
        "settings.yaml",
        "model.safetensors",
        "history.csv",
        "check.json",
        "held_out.csv",
    }
    assert all(provenance_path(folder / name).exists() for name in ("check.json", "held_out.csv"))
    check = json.loads((folder / "check.json").read_text())
    assert check["images"] == 10
    assert check["steps"] == 4
    assert 0 <= check["mean_ap_shuffled"] <= 1
    with (folder / "held_out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [f"a{number}" for number in range(10)]
    assert all(0 <= float(row["cat"]) <= 1 for row in rows)
    header = (folder / "history.csv").read_text().splitlines()[0].split(",")
    assert {"look_loss", "look_mean_ap", "look_without_region", "look_cover", "bound"} <= set(header)


def test_weights_that_are_taken_over_have_no_check(train, tmp_path):
    weights = tmp_path / "mine.safetensors"
    weights.write_bytes((train() / "model.safetensors").read_bytes())
    folder = train(weights_from=str(weights))
    assert json.loads((folder / "check.json").read_text()) is None
    assert (folder / "held_out.csv").read_text() == "id\n"
    assert ours(folder, load_weights(folder / "model.safetensors"), "cam") == ["cat", "dog"]


class Mortal(TaggedImages):
    def __getitem__(self, index):
        if torch.utils.data.get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


def test_images_are_loaded_by_as_many_processes_as_the_setting_says(train, monkeypatch):
    monkeypatch.setattr(stage, "TaggedImages", Mortal)
    assert (train(workers=0) / "model.safetensors").exists()
    with pytest.raises(UserError, match=r"a loading process died.*lower cam\.workers"):
        train(workers=1, lr=0.002)
