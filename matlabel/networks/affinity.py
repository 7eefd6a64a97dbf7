"""Learned affinity: a small feature of every pixel, in which a distance says whether two pixels belong together."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matlabel.networks.neighbours import Shift, pairs

# Cells of the stride-8 grid within which pixels are compared.
RADIUS = 5
# What the layers see and what they give is scaled by this and their weights start that much smaller: the same
# function, but sgd turns it a hundred times faster. At the rate of the other heads it would hardly move.
PACE = 10.0


class AffinityHead(nn.Module):
    """f = V ELU([W_1 u_1, …, W_4 u_4]), u_l the unit feature of layer l, all on the grid of layer 2 (stride 8).

    V and W_l are 1×1 convolutions without bias. Random ones keep the order of distances about, so that before any
    training the affinity resembles that of the layers' cosines.

    Args:
        channels: of the maps of the four layers.
        size: channels of f; each layer gives half as many to V.
    """

    def __init__(self, channels: list[int], size: int):
        super().__init__()
        width = max(1, size // 2)
        self.layers = nn.ModuleList(nn.Conv2d(count, width, 1, bias=False) for count in channels)
        self.mix = nn.Conv2d(width * len(channels), size, 1, bias=False)
        for layer in self.layers:
            nn.init.normal_(layer.weight, std=2 / PACE)
        nn.init.normal_(self.mix.weight, std=(width * len(channels)) ** -0.5 / PACE)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Maps of the trunk's four layers -> f, float32[B, size, h, w]. No gradient reaches the trunk."""
        grid = features[1].shape[2:]
        with torch.autocast(features[0].device.type, enabled=False):
            parts = []
            for layer, maps in zip(self.layers, features, strict=True):
                part = layer(PACE * F.normalize(maps.detach().float(), dim=1))
                parts.append(F.interpolate(part, grid, mode="bilinear", align_corners=False))
            return PACE * self.mix(F.elu(torch.cat(parts, 1)))


def distances(feature: Tensor, shift: Shift) -> Tensor:
    """d_ij = mean_k |f_ik − f_jk| of all pairs at one shift; the affinity is a_ij = exp(−d_ij).

    Args:
        feature: f, float32[B, e, h, w].
        shift: see `pairs`.

    Returns:
        float32[B, h − down, w − |right|], ≥ 0.
    """
    near, far = pairs(feature, shift)
    return (near - far).abs().mean(1)
