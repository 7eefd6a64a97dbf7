"""A walk over the similarity of the trunk's features, between all pixels of an image."""

import torch
import torch.nn.functional as F
from torch import Tensor


def feature_affinity(
    features: list[Tensor], size: tuple[int, int], power: float, layers: tuple[int, ...] = (2, 3, 4)
) -> Tensor:
    """T of one image: the mean cosine of some layers, clipped at 0, to the power β, rows summing to one.

    Args:
        features: maps [1, D, h, w] of the trunk's four layers.
        size: (h, w) of the grid of N = h·w nodes.
        power: β.
        layers: which of the four, 1 to 4.

    Returns:
        float32[N, N], row-stochastic.
    """
    with torch.autocast(features[0].device.type, enabled=False):
        cosine = 0
        for layer in layers:
            maps = features[layer - 1].float()
            unit = F.interpolate(maps, size, mode="bilinear", align_corners=False)[0].flatten(1)
            unit = F.normalize(unit, dim=0)
            cosine = cosine + unit.T @ unit
        walk = (cosine / len(layers)).clamp_min(0) ** power
    return walk / walk.sum(1, keepdim=True).clamp_min(1e-6)


class FeatureWalk:
    """One step is a product with T.

    Args:
        transition: T of `feature_affinity`.
    """

    def __init__(self, transition: Tensor):
        self.transition = transition

    def __call__(self, planes: Tensor) -> Tensor:
        """Planes float32[C, h, w] -> the same after a step."""
        return (planes.flatten(1) @ self.transition.T).view(planes.shape)
