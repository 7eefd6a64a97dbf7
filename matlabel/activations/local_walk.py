"""A walk over the learned affinity, between near pixels only: memory grows with the pixels, not with their square."""

import torch
from torch import Tensor

from matlabel.networks.affinity import RADIUS, distances
from matlabel.networks.neighbours import half_disc, pairs


class LocalWalk:
    """T_ij = a_ij^β / Σ_j a_ij^β over the pixels j at most 5 cells from i, i itself included; a_ij = exp(−d_ij).

    Affinity is symmetric, so only one of two opposite shifts is kept: 40 planes, whatever the size of the image.

    Args:
        feature: f of a batch of images of one size, float32[B, e, h, w]; its gradient is not followed.
        power: β.
    """

    def __init__(self, feature: Tensor, power: float):
        feature = feature.detach()
        self._shifts = half_disc(RADIUS)
        self._weights = [torch.exp(-power * distances(feature, shift))[:, None] for shift in self._shifts]
        # A pixel is nothing away from itself: its own weight is one, and no row is empty.
        self._rows = self._sums(torch.ones_like(feature[:, :1]))

    def __call__(self, planes: Tensor) -> Tensor:
        """Planes float32[B, C, h, w] -> the same after a step; a plane that is constant stays as it is."""
        return self._sums(planes) / self._rows

    def _sums(self, planes: Tensor) -> Tensor:
        """Σ_j a_ij^β x_j."""
        sums = planes.clone()
        for shift, weight in zip(self._shifts, self._weights, strict=True):
            (near, far), (to_near, to_far) = pairs(planes, shift), pairs(sums, shift)
            to_near += weight * far
            to_far += weight * near
        return sums
