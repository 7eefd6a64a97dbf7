"""Consistency: equivariance of the class maps. A teacher sees the plain view, the student a transformed one."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matlabel.networks.classifier import CamNetwork


def random_views(count: int, generator: torch.Generator) -> Tensor:
    """Affine transforms float32[count, 2, 3]: flipped or not, scaled by .8 to 1.2, shifted by at most a tenth."""
    scale = 0.8 + 0.4 * torch.rand(count, generator=generator)
    flip = 1 - 2 * torch.randint(0, 2, (count,), generator=generator)
    shift = 0.4 * torch.rand(count, 2, generator=generator) - 0.2
    view = torch.zeros(count, 2, 3)
    view[:, 0, 0], view[:, 1, 1] = flip / scale, 1 / scale
    view[:, :, 2] = shift / scale[:, None]
    return view


def warp(maps: Tensor, view: Tensor) -> Tensor:
    """Transform maps [B, C, h, w] of any size by `view`, in float32; 0 where the view looks outside."""
    # Autocast would make the grid in half precision: at 448 pixels it is off by more than one of them.
    with torch.autocast(maps.device.type, enabled=False):
        grid = F.affine_grid(view.to(maps.device), list(maps.shape), align_corners=False)
        return F.grid_sample(maps.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def inside(view: Tensor, height: int, width: int, device: torch.device) -> Tensor:
    """bool[B, height, width]: the view shows a part of the picture there."""
    return warp(torch.ones(len(view), 1, height, width, device=device), view)[:, 0] > 0.99


def consistency_loss(student: Tensor, teacher: Tensor, view: Tensor, tags: Tensor) -> Tensor:
    """mean |M(T x) − T M'(x)| over the present classes and the pixels that the view shows.

    Args:
        student: M of the transformed images, float32[B, K, h, w].
        teacher: M' of the plain images, without gradient.
        view: T.
        tags: [B, K].
    """
    target = warp(teacher, view)
    seen = inside(view, *student.shape[2:], student.device)[:, None] * tags[:, :, None, None]
    return ((student - target).abs() * seen).sum() / seen.sum().clamp_min(1)


@torch.no_grad()
def teach(teacher: CamNetwork, images: Tensor, scale: float, stride: int) -> Tensor:
    """The teacher's class maps of the plain view, which it may see smaller: a forward pass costs as the square.

    Args:
        teacher: in any mode; put into evaluation mode.
        images: plain view, normalised, float32[B, 3, H, W].
        scale: of the sides that it sees, rounded down to whole pixels of its maps.
        stride: of its maps.

    Returns:
        S, float32[B, K, ceil(H / stride), ceil(W / stride)] whatever the scale.
    """
    teacher.eval()
    sides = images.shape[2:]
    grid = [math.ceil(side / stride) for side in sides]
    # Both grids then hold whole pixels that cover the same picture.
    cells = [max(1, int(scale * count + 1e-6)) for count in grid]
    if cells == grid:
        return teacher(images, embed=False).maps
    smaller = [round(side * fewer / count) for side, fewer, count in zip(sides, cells, grid, strict=True)]
    images = F.interpolate(images, smaller, mode="bilinear", align_corners=False, antialias=True)
    return F.interpolate(teacher(images, embed=False).maps, grid, mode="bilinear", align_corners=False)


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, step: int, momentum: float) -> None:
    """Teacher weights: a moving average of the student's with momentum min(1 − 1 / (t + 1), momentum).

    Parameters without gradient stay what they were when the teacher was copied, the same in both.
    """
    momentum = min(1 - 1 / (step + 1), momentum)
    moving = [
        (old, new) for old, new in zip(teacher.parameters(), student.parameters(), strict=True) if new.requires_grad
    ]
    moving += list(zip(teacher.buffers(), student.buffers(), strict=True))
    averaged = [(old, new) for old, new in moving if old.is_floating_point()]
    if averaged:
        torch._foreach_lerp_(*map(list, zip(*averaged, strict=True)), 1 - momentum)
    for old, new in moving:
        if not old.is_floating_point():
            old.copy_(new)
