"""Matting Laplacians (Levin, Lischinski & Weiss, PAMI 2008) of a padded batch of images, as stencils.

Only the half of a stencil that looks forward is kept: L is symmetric, and bytes moved are what a GPU's time is made of.
"""

import torch
from torch import Tensor
from torch.nn import functional

from matlabel.mattes.laplacian import offsets

PAIRS = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]


def forward_offsets(radius: int = 1) -> list[tuple[int, int]]:
    """Offsets (dy, dx) of the pixel itself and the neighbours after it in reading order."""
    every = offsets(radius)
    return every[len(every) // 2 :]


def stencils(images: Tensor, heights: Tensor, widths: Tensor, epsilon: float = 1e-7, radius: int = 1) -> Tensor:
    """The matting Laplacian of every image: entry (i, i + offset) lies at pixel i of the offset's plane.

    Built in float64, stored in float32: the covariances of flat windows leave no digits in float32 (at epsilon 1e-7
    the Laplacian is off by half), while the entries themselves stand rounding to 24 bits.

    Args:
        images: float64[B, 3, h, w] in [0, 1]; image b fills the top left heights[b] x widths[b], each side at least
            2 radius + 1.
        heights, widths: int64[B].
        epsilon, radius: as in `matlabel.mattes.laplacian.matting_stencil`.

    Returns:
        float32[B, ((4 radius + 1)² + 1) / 2, h, w], planes ordered as `forward_offsets(radius)`; 0 where either pixel
        is outside the image. No window that touches the padding counts, or one image would leak into the next.
    """
    batch, _, height, width = images.shape
    side, span = 2 * radius + 1, 4 * radius + 1
    rows, columns = height - 2 * radius, width - 2 * radius
    # A window is named by its top left pixel; it is whole where its last pixel is inside the image.
    down = torch.arange(rows, device=images.device) < (heights - 2 * radius)[:, None]
    across = torch.arange(columns, device=images.device) < (widths - 2 * radius)[:, None]
    whole = (down[:, :, None] & across[:, None, :]).to(images.dtype)

    cells = [(y, x) for y in range(side) for x in range(side)]
    colour = torch.stack([images[:, :, y : y + rows, x : x + columns] for y, x in cells], dim=1)
    colour -= colour.mean(dim=1, keepdim=True)
    # As on the CPU: n Σ + ε 1 = R Rᵀ, R x_i = c_i, W_ij = δ_ij − 1/n − x_iᵀ x_j; factorised, as grey windows are
    # singular up to epsilon.
    gram = torch.empty(batch, 3, 3, rows, columns, dtype=images.dtype, device=images.device)
    for p, q in PAIRS:
        gram[:, p, q] = gram[:, q, p] = (colour[:, :, p] * colour[:, :, q]).sum(dim=1) + epsilon * (p == q)
    x = _forward_substitution(gram, colour)

    stencil = torch.zeros(batch, (span * span + 1) // 2, height, width, dtype=images.dtype, device=images.device)
    for i, (yi, xi) in enumerate(cells):
        for j, (yj, xj) in enumerate(cells[i:], start=i):
            pair = (x[:, i] * x[:, j]).sum(dim=1)
            plane = (yj - yi) * span + xj - xi
            # L(i, j) = Σ over the windows that hold both of W_ij
            stencil[:, plane, yi : yi + rows, xi : xi + columns] -= (pair + (1 / len(cells) - (i == j))) * whole
    return stencil.float()


def _forward_substitution(gram: Tensor, colour: Tensor) -> Tensor:
    """R⁻¹ c for gram [B, 3, 3, …] = R Rᵀ and colour [B, n, 3, …], plane by plane for contiguous memory access."""
    r00 = gram[:, 0, 0].sqrt()
    r10 = gram[:, 0, 1] / r00
    r20 = gram[:, 0, 2] / r00
    r11 = (gram[:, 1, 1] - r10 * r10).sqrt()
    r21 = (gram[:, 1, 2] - r20 * r10) / r11
    r22 = (gram[:, 2, 2] - r20 * r20 - r21 * r21).sqrt()
    x0 = colour[:, :, 0] / r00[:, None]
    x1 = (colour[:, :, 1] - r10[:, None] * x0) / r11[:, None]
    x2 = (colour[:, :, 2] - r20[:, None] * x0 - r21[:, None] * x1) / r22[:, None]
    return torch.stack([x0, x1, x2], dim=2)


def apply(stencil: Tensor, planes: Tensor, radius: int = 1) -> Tensor:
    """The Laplacians times planes of values.

    Args:
        stencil: float[B, ((4 radius + 1)² + 1) / 2, h, w] of `stencils`.
        planes: float[B, C, h, w].
        radius: the radius that the stencils were built with.

    Returns:
        float[B, C, h, w].
    """
    height, width = planes.shape[-2:]
    reach = 2 * radius
    # (L p)_i = L(i, i) p(i) + Σ_o L(i, i + o) p(i + o) + L(i − o, i) p(i − o), o the other forward offsets.
    padded = functional.pad(planes, (reach, reach, reach, reach))
    total = stencil[:, 0, None] * planes
    for index, (dy, dx) in enumerate(forward_offsets(radius)[1:], start=1):
        coefficient = stencil[:, index, None]
        total = total + coefficient * padded[..., reach + dy : reach + dy + height, reach + dx : reach + dx + width]
        mirrored = functional.pad(coefficient, (reach, reach, reach, 0))
        total = total + (
            mirrored[..., reach - dy : reach - dy + height, reach - dx : reach - dx + width]
            * padded[..., reach - dy : reach - dy + height, reach - dx : reach - dx + width]
        )
    return total
