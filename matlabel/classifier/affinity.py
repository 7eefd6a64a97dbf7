"""Learned affinity: a small feature of every pixel, in which a distance says whether two pixels belong together."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matlabel.classifier.neighbours import Shift, pairs

# Cells of the stride-8 grid within which pixels are compared.
RADIUS = 5


class AffinityHead(nn.Module):
    """f = [W_1 u_1, …, W_4 u_4], u_l the unit feature of layer l, all on the grid of layer 2 (stride 8).

    1×1 convolutions without bias, which a distance would not see. Random ones keep distances (Johnson &
    Lindenstrauss), so that before any training the affinity is about that of the layers' cosines; training turns and
    stretches it.

    Args:
        channels: of the maps of the four layers.
        size: channels of f for each layer.
    """

    def __init__(self, channels: list[int], size: int):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(count, size, 1, bias=False) for count in channels)
        for layer in self.layers:
            nn.init.normal_(layer.weight)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Maps of the trunk's four layers -> f, float32[B, 4 · size, h, w]. No gradient reaches the trunk."""
        grid = features[1].shape[2:]
        with torch.autocast(features[0].device.type, enabled=False):
            parts = []
            for layer, maps in zip(self.layers, features, strict=True):
                part = layer(F.normalize(maps.detach().float(), dim=1))
                parts.append(F.interpolate(part, grid, mode="bilinear", align_corners=False))
            return torch.cat(parts, 1)


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
