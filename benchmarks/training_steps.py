"""Steps of the stage cam's own training, timed."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from measure import turns
from torch import Tensor, nn

from matlabel.cam.model import D2Cam
from matlabel.cam.schedule import Schedule
from matlabel.networks.backbone import Backbone
from matlabel.networks.classifier import CamNetwork
from matlabel.settings.cam import CamSettings
from matlabel.training.launch import Job, start
from matlabel.training.loop import prepare, train_step

DEFAULT = CamSettings()
# A step at which all terms have their full weight, of how many.
LATE = (99, 100)
WEIGHTS = {
    "category": 0.2,
    "foreground": DEFAULT.foreground,
    "consistency": 1.0,
    "exclusivity": DEFAULT.exclusivity,
}
NONE = {**dict.fromkeys(WEIGHTS, 0.0), "paste": 0.0}
SETUPS = {
    "plain": NONE,
    **{name: {**NONE, name: weight} for name, weight in WEIGHTS.items()},
    "paste": {**NONE, "paste": DEFAULT.paste},
    "default": {name: getattr(DEFAULT, name) for name in NONE},
    "all four": {**NONE, **WEIGHTS},
}


@dataclass
class Training:
    """A training in its course: steps on one batch, over and over."""

    fabric: Fabric
    model: nn.Module
    optimizer: torch.optim.Optimizer
    batch: dict[str, Tensor]

    @staticmethod
    def of(settings: CamSettings, weights: Mapping[str, float], batch: dict[str, Tensor], device: str) -> "Training":
        """The training with these weights of the terms, all in full."""
        settings = settings.model_copy(update=dict(weights))
        fabric = start(Job("cam", 0, device, Path("none"), ""), settings)
        classes = batch["tags"].shape[1]
        backbone = Backbone(settings.backbone, settings.output_stride, True, settings.frozen_stages)
        network = CamNetwork(backbone, classes, settings.embedding_channels)
        _as_if_trained(network, batch["image"])
        model = D2Cam(network, settings, torch.ones(classes).bool(), seed=0, schedule=Schedule(0))
        if model.centres is not None:
            _fill(model.centres)
        prepared, optimizer = prepare(fabric, model, settings)
        batch = {name: fabric.to_device(value) for name, value in batch.items()}
        return Training(fabric, prepared.train(), optimizer, batch)

    def run(self, steps: int) -> None:
        """So many steps, finished when this returns."""
        for _ in range(steps):
            train_step(self.fabric, self.model, self.optimizer, self.batch, *LATE)
        if self.fabric.device.type == "cuda":
            torch.cuda.synchronize()


def compare(
    trainings: Mapping[str, Training], steps: int, repeats: int, load: float
) -> tuple[list[str], list[list[object]]]:
    """Head and rows of the table: medians over turns, ratios to plain within a turn.

    Args:
        trainings: "plain" and others.
        steps: of each in a turn.
        repeats: turns.
        load: milliseconds to load an image.
    """
    images = len(next(iter(trainings.values())).batch["image"]) * steps
    seconds = turns({name: lambda one=one: one.run(steps) for name, one in trainings.items()}, repeats)
    plain = [1000 * taken / images for taken in seconds["plain"]]
    rows: list[list[object]] = []
    for name, taken in seconds.items():
        step = [1000 * one / images for one in taken]
        ratios = [one / base for one, base in zip(step, plain, strict=True)]
        loaded = [(one + load) / (base + load) for one, base in zip(step, plain, strict=True)]
        rows.append(
            [
                name,
                f"{statistics.median(step):.1f}",
                f"{statistics.median(ratios):.2f} x",
                f"{min(ratios):.2f} - {max(ratios):.2f}",
                f"{statistics.median(loaded):.2f} x",
            ]
        )
    return ["training", "step, ms an image", "to plain", "least - most", "to plain with loading"], rows


def _as_if_trained(network: CamNetwork, images: Tensor) -> None:
    # Random weights with BatchNorm as it starts would overflow, and maps of one sign would leave nothing to contrast.
    norms = [module for module in network.backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    with torch.no_grad():
        mean = F.normalize(network.backbone(network.backbone.scale(images))[-1].mean((0, 2, 3)), dim=0)
        weight = network.classifier.weight
        weight -= (weight[:, :, 0, 0] @ mean)[:, None, None, None] * mean[:, None, None]
    network.train()


def _fill(centres: nn.Module) -> None:
    # As they are in the midst of a training: every class and background seen, the queue full.
    for vectors in (centres.classes, centres.background, centres.queue):
        vectors.copy_(F.normalize(torch.randn(vectors.shape), dim=1))
    centres.seen.fill_(100)
    centres.background_seen.fill_(100)
    centres.queued.fill_(len(centres.queue))
