import copy
import os
from pathlib import Path

import pytest
import torch

from matlabel.artifacts.errors import UserError
from matlabel.networks.backbone import Trunk
from matlabel.runs import Plan

TRAINING = {"backbone": "resnet18", "weights": "none", "batch_size": 4, "epochs": 3, "steps": 0}


@pytest.fixture
def config(animals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = {"dataset": {"format": "folder", "path": str(animals)}, "evaluation": {"splits": ["val"]}}
    return {**data, "cam": dict(TRAINING), "segmenter": dict(TRAINING)}


def changed(config, stage, **values):
    config = copy.deepcopy(config)
    config.setdefault(stage, {}).update(values)
    return config


def test_a_batch_or_a_warmup_beyond_the_training_is_refused(config):
    Plan(config).check_starts()
    # Ten images, two whole batches an epoch.
    Plan(changed(config, "cam", warmup=5)).check_starts()
    with pytest.raises(UserError, match=r"cam\.warmup: 6 steps, but the training has 6, .* set auto"):
        Plan(changed(config, "cam", warmup=6)).check_starts()
    for stage in ("cam", "segmenter"):
        with pytest.raises(UserError, match=rf"{stage}\.batch_size: 11, but there are only 10 training images"):
            Plan(changed(config, stage, batch_size=11)).check_starts()


def test_batches_divide_by_the_processes(config):
    with pytest.raises(UserError, match=r"cam: batch_size 4 must be a multiple of the 3 processes"):
        Plan(changed(config, "cam", devices=3))


@pytest.mark.parametrize("key", [("cam", "weights"), ("cam", "weights_from"), ("segmenter", "weights")])
def test_weights_that_do_not_fit_are_refused_before_anything_runs(config, key):
    stage, name = key
    Path("odd.pt").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"odd\.pt: not weights that torch"):
        Plan(changed(config, stage, **{name: "odd.pt"})).check_starts()


def test_weights_are_looked_into_until_their_training_is_done_and_when_they_are_newer(config):
    state = Trunk("resnet18").state_dict()
    torch.save(state, "own.pt")
    plan = Plan(changed(config, "segmenter", weights="own.pt"))
    plan.check_starts()
    state["bn1.weight"][3] = torch.nan
    torch.save(state, "own.pt")
    with pytest.raises(UserError, match=r"own\.pt: bn1\.weight holds NaN"):
        plan.check_starts()
    written = next(Path(plan.artifact(key)) for key, node in plan.nodes.items() if node.stage == "segmenter")
    written.parent.mkdir(parents=True)
    written.write_bytes(b"")
    plan.check_starts()
    os.utime("own.pt", ns=(0, written.stat().st_mtime_ns + 1))
    with pytest.raises(UserError, match="holds NaN"):
        plan.check_starts()


@pytest.mark.parametrize("source", ["./vit", "../vit", "models/vit", "models/small/vit", "vit", "models\\vit", "/vit"])
def test_a_folder_that_is_mistyped_is_no_name_on_a_hub(config, source):
    Path("models").mkdir()
    with pytest.raises(UserError, match=r"mattes\.weights: no such folder: "):
        Plan({**config, "mattes": {"method": "vitmatte", "weights": source}})
    Plan({**config, "mattes": {"method": "vitmatte", "weights": "owner/vit-matte.s"}})


def test_braces_in_the_name_of_weights_are_refused_with_the_reason(config):
    Path("w{1}.pt").write_bytes(b"")
    with pytest.raises(UserError, match=r"cam\.weights: w\{1\}\.pt: Snakemake takes braces .* rename"):
        Plan(changed(config, "cam", weights="w{1}.pt"))
