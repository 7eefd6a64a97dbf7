"""Spreading: a random walk between pixels with similar features carries activation to the rest of an object."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

# Of its former range: where a walk leaves a plane less, it has mixed all of it, and what differs is rounding.
LEAST = 1e-3


def similarity(features: list[Tensor], size: tuple[int, int], layers: Sequence[int]) -> Tensor:
    """The mean cosine of some layers between all pixels of one image, clipped at 0: float32[N, N] in [0, 1].

    Args:
        features: maps [1, D, h, w] of the backbone's four layers.
        size: (h, w) of the grid of N = h·w nodes.
        layers: which of the four, 1 to 4.
    """
    with torch.autocast(features[0].device.type, enabled=False):
        cosine = 0
        for layer in layers:
            maps = features[layer - 1].float()
            unit = F.interpolate(maps, size, mode="bilinear", align_corners=False)[0].flatten(1)
            unit = F.normalize(unit, dim=0)
            cosine = cosine + unit.T @ unit
        return (cosine / len(layers)).clamp_min(0)


def transitions(similar: Tensor, power: float) -> Tensor:
    """T = similarity^β with rows that sum to one: float32[n, N] of the rows of `similarity`."""
    walk = similar**power
    return walk / walk.sum(1, keepdim=True).clamp_min(1e-6)


def spread(probabilities: Tensor, transition: Tensor, steps: int) -> Tensor:
    """Walk `steps` steps A ← T A, then give every class back the peak it had.

    A walk averages, so that small objects fade; each class is rescaled to its former range and the rest renormalised.

    Args:
        probabilities: A, float32[C + 1, h, w], background first.
        transition: T, float32[N, N], see `transitions`; N = h·w.
        steps: how far.

    Returns:
        float32[C + 1, h, w], summing to one per pixel.
    """
    before = probabilities.flatten(1)
    planes = before
    for _ in range(steps):
        planes = planes @ transition.T
    low, high = before.amin(1, keepdim=True), before.amax(1, keepdim=True)
    least, most = planes.amin(1, keepdim=True), planes.amax(1, keepdim=True)
    range_ = (most - least).maximum(LEAST * (high - low)).clamp_min(1e-5)
    planes = (planes - least) / range_ * (high - low) + low
    return (planes / planes.sum(0, keepdim=True).clamp_min(1e-5)).view(probabilities.shape)
