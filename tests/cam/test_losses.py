"""Another loss is a file, a line in LOSSES and a weight in the settings: here the mean of the class maps."""

import pytest
import torch
from pydantic import Field

from matlabel.cam.losses import LOSSES
from matlabel.cam.model import D2Cam
from matlabel.cam.schedule import Schedule
from matlabel.networks.backbone import Backbone
from matlabel.networks.classifier import CamNetwork
from matlabel.settings.cam import TERMS, CamSettings

# A step at which the terms have their full weight, of how many.
LATE = (9, 10)


def sparsity_loss(relative, tags):
    """The mean activation of the tagged classes."""
    return (relative.mean((2, 3)) * tags).sum() / tags.sum().clamp_min(1)


class SparseSettings(CamSettings):
    sparsity: float = Field(0.0, ge=0)


@pytest.fixture
def with_sparsity(monkeypatch):
    monkeypatch.setitem(LOSSES, "sparsity", lambda step: sparsity_loss(step.relative, step.tags))

    def model(**weights):
        settings = SparseSettings(backbone="resnet18", weights="none", embedding_size=8, paste=0, **weights)
        torch.manual_seed(0)
        network = CamNetwork(Backbone("resnet18", 16, freeze_norm=True), 2, settings.embedding_channels)
        return D2Cam(network, settings, torch.tensor([True, True]), 0, Schedule(1)).train()

    return model


@pytest.fixture
def batch():
    images = torch.randint(0, 255, (2, 3, 64, 64), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return {"image": images, "tags": torch.eye(2)}


def test_another_loss_is_weighted_trained_and_gone_at_weight_zero(with_sparsity, batch):
    without, once, twice = (with_sparsity(sparsity=weight)(batch, *LATE) for weight in (0, 0.5, 1.0))
    assert set(once) - set(without) == {"sparsity"}
    assert twice["sparsity"].item() == pytest.approx(2 * once["sparsity"].item())
    for name in without:
        assert torch.equal(without[name], once[name])
    made = with_sparsity(sparsity=1.0)
    made(batch, *LATE)["sparsity"].backward()
    gradients = [parameter.grad for parameter in made.network.backbone.parameters() if parameter.grad is not None]
    assert any(gradient.abs().sum() > 0 for gradient in gradients)


def test_every_loss_has_a_weight_and_every_weight_a_loss():
    assert set(LOSSES) == set(TERMS) - {"paste"}
    assert set(LOSSES) <= set(CamSettings.model_fields)
