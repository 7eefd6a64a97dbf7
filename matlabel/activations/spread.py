"""Spreading: a random walk between pixels whose features agree carries activation to the rest of an object."""

import torch
import torch.nn.functional as F
from torch import Tensor

STRIDE = 8


def feature_affinity(features: list[Tensor], size: tuple[int, int], power: float) -> Tensor:
    """T of one image: the mean cosine of layers 2 to 4, clipped at 0, to the power β, rows summing to one.

    Args:
        features: maps [1, D, h, w] of the trunk's four layers.
        size: (h, w) of the grid of N = h·w nodes.
        power: β.

    Returns:
        float32[N, N], row-stochastic.
    """
    with torch.autocast(features[0].device.type, enabled=False):
        cosine = 0
        for layer in features[1:]:
            unit = F.interpolate(layer.float(), size, mode="bilinear", align_corners=False)[0].flatten(1)
            unit = F.normalize(unit, dim=0)
            cosine = cosine + unit.T @ unit
        walk = (cosine / len(features[1:])).clamp_min(0) ** power
    return walk / walk.sum(1, keepdim=True).clamp_min(1e-6)


def spread(probabilities: Tensor, walk: Tensor, steps: int) -> Tensor:
    """Walk `steps` steps, then give every class back the peak it had.

    A walk averages, so that small objects fade; each class is rescaled to its former range and the rest renormalised.

    Args:
        probabilities: A, float32[C + 1, h, w], background first, on the grid of `walk`.
        walk: T, float32[N, N].
        steps: how far.

    Returns:
        float32[C + 1, h, w] that sums to one per pixel.
    """
    shape = probabilities.shape
    flat = probabilities.flatten(1)
    low, high = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
    for _ in range(steps):
        flat = flat @ walk.T
    least, most = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
    flat = (flat - least) / (most - least).clamp_min(1e-5) * (high - low) + low
    return (flat / flat.sum(0, keepdim=True).clamp_min(1e-5)).view(shape)
