"""Exclusivity: each pixel belongs to one class, and no pixel to an absent class."""

import torch
import torch.nn.functional as F
from torch import Tensor

from matlabel.networks.classifier import distribution

COMPETES = 0.1


def exclusivity_loss(maps: Tensor, relative: Tensor, tags: Tensor, gamma: float = 4.0) -> Tensor:
    """Gini impurity of a pixel's present classes, plus the activation of absent classes.

        L = mean_{runner-up > .1} (1 − Σ_k A_k²)  +  mean ReLU(S_c), c absent

    Args:
        maps: S, float32[B, K, h, w].
        relative: M of S, with gradient.
        tags: [B, K].
        gamma: of the per-pixel distribution A (see `distribution`).
    """
    loss = maps.sum() * 0
    if relative.shape[1] > 1:
        runner_up = relative.detach().topk(2, dim=1).values[:, 1]
        contested = (runner_up > COMPETES).float()
        differ = 1 - (distribution(relative, gamma) ** 2).sum(1)
        loss = loss + (differ * contested).sum() / contested.sum().clamp_min(1)
    absent = (1 - tags.float())[:, :, None, None].expand_as(maps)
    return loss + (F.relu(maps) * absent).sum() / torch.clamp(absent.sum(), min=1)
