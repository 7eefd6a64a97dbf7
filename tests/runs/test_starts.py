import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from matlabel.artifacts.errors import UserError
from matlabel.networks.backbone import Backbone
from matlabel.runs import Plan

TRAINING = {"weights": "none", "batch_size": 4, "epochs": 3, "steps": 0}


@pytest.fixture
def config(animals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = {"dataset": {"format": "folder", "path": str(animals)}, "evaluation": {"splits": ["val"]}}
    return {**data, "cam": {**TRAINING, "backbone": "resnet18"}, "segmenter": {**TRAINING, "encoder": "resnet18"}}


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
    with pytest.raises(UserError, match=r"odd\.pt: not weights (that torch|as safetensors)"):
        Plan(changed(config, stage, **{name: "odd.pt"})).check_starts()


@pytest.mark.parametrize(
    ("stage", "values", "message"),
    [
        (
            "cam",
            {"backbone": "resnet19"},
            r"cam\.backbone: 'resnet19': timm has no such backbone \(did you mean resnet",
        ),
        ("cam", {"backbone": "pvt_v2_b0", "output_stride": 8}, r"cam\.backbone: pvt_v2_b0: .* cannot be dilated to 8"),
        (
            "segmenter",
            {"encoder": "vit_tiny_patch16_224"},
            r"segmenter\.encoder: .* set segmenter\.architecture to dpt",
        ),
        ("segmenter", {"architecture": "dpt"}, r"segmenter\.encoder: resnet18 is no plain transformer"),
        ("cam", {"weights": "resnet18.in22k"}, r"cam\.weights: resnet18\.in22k: timm has no such weights of resnet18"),
    ],
)
def test_what_timm_does_not_have_is_refused_before_anything_runs(config, stage, values, message):
    with pytest.raises(UserError, match=message):
        Plan(changed(config, stage, **values)).check_starts()


def test_well_known_backbones_are_planned_without_timm(config):
    script = "import sys; from matlabel.runs import Plan; Plan({!r}).check_starts(); print('timm' in sys.modules)"
    for weights in ("imagenet", "none"):
        plan = changed(changed(config, "cam", weights=weights), "segmenter", weights=weights)
        done = subprocess.run([sys.executable, "-c", script.format(plan)], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("stage", "values", "message"),
    [
        (
            "cam",
            {"weights": "package"},
            r"cam\.weights: there are packages for tf_efficientnet_lite0, .* not for resnet18",
        ),
        (
            "cam",
            {"weights": "resnet50.a1_in1k"},
            r"no such file: .*, or a name of timm's that begins with resnet18\.\)",
        ),
        (
            "segmenter",
            {"weights": "cam", "encoder": "resnet34"},
            r"weights: cam is a resnet18, and segmenter\.encoder is",
        ),
    ],
)
def test_weights_of_another_backbone_are_refused(config, stage, values, message):
    with pytest.raises(UserError, match=message):
        Plan(changed(config, stage, **values))


def test_fetch_is_told_what_the_trainings_of_a_config_start_from(config):
    asked = changed(changed(config, "cam", weights="imagenet"), "segmenter", weights="resnet18.a1_in1k")
    assert Plan(asked).downloads() == ["resnet18", "resnet18.a1_in1k"]
    assert Plan(config).downloads() == []


def test_weights_are_looked_into_until_their_training_is_done_and_when_they_are_newer(config):
    state = Backbone("resnet18").net.state_dict()
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
