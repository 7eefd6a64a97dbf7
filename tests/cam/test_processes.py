"""Two processes train together: gradients, centres and history are shared, one of them writes."""

import subprocess
import sys

import pytest
import yaml
from small_training import TERMS_TAKEN

from matlabel.artifacts.weights import load_weights
from matlabel.dataset import stage as dataset_stage
from matlabel.runs import Plan


def test_two_processes_agree_with_one(animals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    histories = {}
    for devices in (1, 2):
        config = {
            "dataset": {"format": "folder", "path": str(animals)},
            "cam": {**TERMS_TAKEN, "devices": devices},
            "evaluation": {"splits": ["val"]},
        }
        plan = Plan(config, write=True)
        chain = plan.chains["default", 0]
        for number in plan.data.shards:
            checks = tmp_path / plan.artifact(chain["dataset"], number)
            dataset_stage.run(
                tmp_path / plan.settings_file(chain["dataset"]), tmp_path / plan.shard_csv(number), checks
            )
        node = plan.node(chain["cam"])
        command = ["cam", "--settings", plan.settings_file(chain["cam"]), "--device", "cpu"]
        command += ["--dataset", plan.list_file(plan.splits(node)), "--out", plan.artifact(chain["cam"])]
        script = tmp_path / "run.py"
        script.write_text("from matlabel.cli import main; main()")
        subprocess.run([sys.executable, script, *command], check=True, capture_output=True, cwd=tmp_path, timeout=300)
        folder = tmp_path / node.folder
        histories[devices] = [line.split(",") for line in (folder / "history.csv").read_text().splitlines()]
        centres = load_weights(folder / "model.safetensors").tensors
        assert (folder / "model.safetensors.provenance.json").exists()
        assert not (folder / "checkpoint.pt").exists()
    one, two = (dict(zip(histories[n][0], map(float, histories[n][1]), strict=True)) for n in (1, 2))
    # The first epoch sees the same images in the same steps: the mean gradient of two halves is that of the whole.
    losses = ("loss", "classification", "look_loss")
    assert one["classification"] > 0
    assert [one[name] for name in losses] == pytest.approx([two[name] for name in losses], rel=0.02)
    assert int(centres["centres.seen"].sum()) > 0
    assert yaml.safe_load((folder / "settings.yaml").read_text())["settings"]["devices"] == 2
