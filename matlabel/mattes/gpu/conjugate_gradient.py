"""Jacobi-preconditioned conjugate gradients on many masked systems at once (Hestenes & Stiefel 1952).

Every image has its own matrix, every label of an image its own right-hand side, and each of these stops by itself.
"""

from functools import cache

import torch
from torch import Tensor

from matlabel.mattes.gpu.laplacian import apply

# Looking whether anything has finished waits for the GPU; steps between two looks.
LOOK = 8


def conjugate_gradient(
    stencil: Tensor,
    unknown: Tensor,
    right: Tensor,
    tolerance: float = 1e-4,
    most: int = 1000,
    radius: int = 1,
    compiled: bool = False,
) -> tuple[Tensor, Tensor]:
    """Solve L_uu x = right for the unknown pixels of every image.

    Args:
        stencil: float32[B, ((4 radius + 1)² + 1) / 2, h, w], see `laplacian.stencils`.
        unknown: bool[B, h, w], the pixels that are solved for; none of them in the padding.
        right: float32[B, C, h, w], read at unknown pixels.
        tolerance: a right-hand side stops once |residual| <= tolerance |right| (2-norms). On photographs of 0.1
            megapixels 1e-4 within 1000 steps changes .04 % of the unknown pixels' labels at scale 4 and .6 % at scale
            1; 1e-3 within 300 steps .4 % and 15 %.
        most: steps after which what is reached is taken.
        radius: the radius that the stencils were built with.
        compiled: fuse each step into a few kernels (torch.compile). The first call takes its time, so that it can
            pay only on a GPU and for many images.

    Returns:
        x float32[B, C, h, w], 0 where nothing is unknown; int64[B, C], the steps that each took.
    """
    step = compiled_step() if compiled else cg_step
    mask = unknown[:, None].to(right.dtype)
    residual = right * mask
    # Padding and sure pixels have no equation: their diagonal is never divided by.
    inverse = torch.where(unknown, 1 / torch.where(unknown, stencil[:, 0], 1), 0)[:, None]
    goal = tolerance**2 * (residual * residual).sum(dim=(2, 3))
    preconditioned = inverse * residual
    direction = preconditioned
    rho = (residual * preconditioned).sum(dim=(2, 3))
    taken = torch.zeros(right.shape[:2], dtype=torch.int64, device=right.device)
    x = torch.zeros_like(residual)

    result, steps = torch.zeros_like(residual), torch.zeros_like(taken)
    rows = torch.arange(len(right), device=right.device)
    state = (stencil, mask, inverse, goal, x, residual, direction, rho, taken)
    done = 0
    while len(rows) and done < most:
        for _ in range(min(LOOK, most - done)):
            state = (*state[:4], *step(radius, *state))
            done += 1
        running = (state[7] > 0).any(dim=1)
        # Fewer images are worth a copy once half of them have finished.
        if 2 * int(running.sum()) <= len(rows):
            result[rows[~running]], steps[rows[~running]] = state[4][~running], state[8][~running]
            rows = rows[running]
            state = tuple(part[running] for part in state)
    result[rows], steps[rows] = state[4], state[8]
    return result, steps


@cache
def compiled_step():
    """`cg_step` compiled, once a process, for any sizes."""
    return torch.compile(cg_step, dynamic=True, fullgraph=True)


def cg_step(
    radius: int,
    stencil: Tensor,
    mask: Tensor,
    inverse: Tensor,
    goal: Tensor,
    x: Tensor,
    residual: Tensor,
    direction: Tensor,
    rho: Tensor,
    taken: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """One step of every system; those with rho 0 have finished and stay as they are.

    Args:
        radius: the radius that the stencils were built with.
        stencil, mask, inverse, goal: the systems: matrices, unknown pixels as 0 / 1, inverse diagonals, and squared
            residuals to reach.
        x, residual, direction: float32[B, C, h, w].
        rho: float32[B, C], residual · preconditioned residual.
        taken: int64[B, C].

    Returns:
        the new (x, residual, direction, rho, taken).
    """
    running = rho > 0
    image = apply(stencil, direction, radius) * mask
    # α = ρ / (p · A p);  x ← x + α p;  r ← r − α A p
    curvature = (direction * image).sum(dim=(2, 3))
    alpha = torch.where(running & (curvature > 0), rho / torch.where(curvature > 0, curvature, 1), 0)[..., None, None]
    x = x + alpha * direction
    residual = residual - alpha * image
    # z = D⁻¹ r;  ρ' = r · z;  p ← z + (ρ' / ρ) p
    preconditioned = inverse * residual
    fresh = (residual * preconditioned).sum(dim=(2, 3))
    squared = (residual * residual).sum(dim=(2, 3))
    beta = torch.where(running, fresh / torch.where(running, rho, 1), 0)[..., None, None]
    direction = preconditioned + beta * direction
    fresh = torch.where(running & (squared > goal) & (curvature > 0), fresh, 0)
    return x, residual, direction, fresh, taken + running
