"""The whole chain, from tags to predicted masks, with a backbone of each kind: in this process, on a dozen pictures."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from tiny import TINY

from matlabel.activations import stage as activations_stage
from matlabel.artifacts.shard import open_shard
from matlabel.artifacts.weights import load_weights
from matlabel.cam import stage as cam_stage
from matlabel.dataset import stage as dataset_stage
from matlabel.labels import stage as labels_stage
from matlabel.mattes import stage as mattes_stage
from matlabel.predictions import stage as predictions_stage
from matlabel.runs import Plan
from matlabel.segmenter import stage as segmenter_stage
from matlabel.trimaps import stage as trimaps_stage

KINDS = [
    ("resnet18", "deeplabv3plus", "conv1"),
    ("convnext_atto", "upernet", "stem_0"),
    ("tf_efficientnet_lite0", "deeplabv3", "conv_stem"),
    ("vit_tiny_patch16_224", "dpt", "patch_embed.proj"),
]


@pytest.mark.parametrize(("backbone", "architecture", "stem"), KINDS)
def test_the_chain_runs_with_a_backbone_of_each_kind(animals, tmp_path, monkeypatch, backbone, architecture, stem):
    monkeypatch.chdir(tmp_path)
    config = copy.deepcopy(TINY)
    config["dataset"]["path"] = str(animals)
    config["cam"] |= {"backbone": backbone, "epochs": 1}
    config["segmenter"] |= {"encoder": backbone, "architecture": architecture, "frozen_stages": 2}
    plan = Plan(config, write=True)
    keys = plan.chains["default", 0]

    def settings(stage):
        return Path(plan.settings_file(keys[stage]))

    def images(stage):
        return Path(plan.list_file(plan.splits(plan.node(keys[stage]))))

    def artifact(stage, number=None):
        return Path(plan.artifact(keys[stage], number))

    numbers = list(plan.data.shards)
    for number in numbers:
        dataset_stage.run(settings("dataset"), Path(plan.shard_csv(number)), artifact("dataset", number))
    cam_stage.run(settings("cam"), images("cam"), artifact("cam"), "cpu")
    for number in plan.shards(plan.splits(plan.node(keys["labels"]))):
        shard = Path(plan.shard_csv(number))
        found = {stage: artifact(stage, number) for stage in ("activations", "trimaps", "mattes", "labels")}
        activations_stage.run(settings("activations"), shard, artifact("cam"), found["activations"], "cpu")
        trimaps_stage.run(settings("trimaps"), shard, found["activations"], found["trimaps"])
        mattes_stage.run(settings("mattes"), shard, found["activations"], found["mattes"], found["trimaps"], "cpu")
        labels_stage.run(settings("labels"), shard, found["labels"], found["mattes"])
    folder = Path(plan.node(keys["labels"]).folder)
    segmenter_stage.run(
        settings("segmenter"), images("segmenter"), folder, artifact("segmenter"), cam=artifact("cam"), device="cpu"
    )
    (number,) = plan.shards(["val"])
    predicted = artifact("predictions", number)
    predictions_stage.run(
        settings("predictions"), Path(plan.shard_csv(number)), artifact("segmenter"), predicted, device="cpu"
    )

    with open_shard(predicted, "predictions") as shard:
        for image_id in shard.ids:
            labels = shard.read(image_id, "labels")
            assert labels.shape == (40, 48)
            assert labels.max() <= 2
    # What the classifier learnt is where the segmenter began: frozen stages are still the same.
    classifier, trained = (load_weights(artifact(stage)) for stage in ("cam", "segmenter"))
    start = classifier.tensors[f"network.backbone.net.{stem}.weight"]
    assert torch.equal(trained.tensors[f"encoder.model.{stem}.weight"], start)
    assert classifier.metadata["backbone"] == trained.metadata["backbone"] == backbone
    assert json.loads(trained.metadata["classes"]) == ["cat", "dog"]
    assert classifier.metadata["mean"] == trained.metadata["mean"]
    # And what is trained is a model of segmentation_models.pytorch, which knows nothing of this package.
    model = smp.from_pretrained(artifact("segmenter").parent).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 3, 64, 64)
    assert all(np.array_equal(value, trained.tensors[name]) for name, value in model.state_dict().items())
