"""Local-linear upsampling of a padded batch (see `matlabel.mattes.upsample`, which says why and is the oracle)."""

import torch
from torch import Tensor
from torch.nn import functional

from matlabel.mattes.gpu.laplacian import PAIRS


def repeat_border(planes: Tensor, heights: Tensor, widths: Tensor) -> Tensor:
    """Fill the padding of [B, C, h, w] by replicating each image's last row and column."""
    rows = torch.minimum(torch.arange(planes.shape[2], device=planes.device), heights[:, None] - 1)
    columns = torch.minimum(torch.arange(planes.shape[3], device=planes.device), widths[:, None] - 1)
    batch = torch.arange(len(planes), device=planes.device)[:, None, None]
    return planes.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _window_mean(planes: Tensor, heights: Tensor, widths: Tensor) -> Tensor:
    """Mean over 3 x 3 windows, every image's border replicated; padding holds no meaningful values."""
    # One more row and column, so that an image as large as the batch has its border repeated, too.
    wider = repeat_border(functional.pad(planes, (0, 1, 0, 1)), heights, widths)
    return functional.avg_pool2d(functional.pad(wider, (1, 0, 1, 0), mode="replicate"), 3, stride=1)


def linear_coefficients(
    alphas: Tensor, images: Tensor, heights: Tensor, widths: Tensor, epsilon: float = 1e-5
) -> Tensor:
    """Ridge regression alpha ≈ aᵀ I + b in every 3 x 3 window, then the mean over the windows that cover a pixel.

    Args:
        alphas: float64[B, C, h, w].
        images: float64[B, 3, h, w] in [0, 1].
        heights, widths: int64[B], the part of the batch that each image fills.
        epsilon: ridge, added to the colour variance.

    Returns:
        float64[B, 4, C, h, w]: a for red, green and blue, then b; the padding repeats the image's border.
    """
    count = alphas.shape[1]
    second = torch.stack([images[:, p] * images[:, q] for p, q in PAIRS], dim=1)
    cross = (images[:, :, None] * alphas[:, None]).flatten(1, 2)
    means = _window_mean(torch.cat([images, second, alphas, cross], dim=1), heights, widths)
    guide, second, mean, cross = means.split([3, 6, count, 3 * count], dim=1)
    cross = cross.unflatten(1, (3, count))

    covariance = torch.empty(len(images), *guide.shape[2:], 3, 3, dtype=images.dtype, device=images.device)
    for index, (p, q) in enumerate(PAIRS):
        entry = second[:, index] - guide[:, p] * guide[:, q] + epsilon * (p == q)
        covariance[..., p, q] = covariance[..., q, p] = entry
    # (Σ + ε 1) a = cov(I, alpha);  b = mean(alpha) − aᵀ mean(I)
    right = (cross - guide[:, :, None] * mean[:, None]).permute(0, 3, 4, 1, 2)
    slope = torch.linalg.solve(covariance, right).permute(0, 3, 4, 1, 2)
    intercept = mean - (slope * guide[:, :, None]).sum(dim=1)
    coefficients = torch.cat([slope, intercept[:, None]], dim=1).flatten(1, 2)
    coefficients = repeat_border(_window_mean(coefficients, heights, widths), heights, widths)
    return coefficients.unflatten(1, (4, count))


def upsample(alphas: Tensor, coarse_images: Tensor, images: Tensor, heights: Tensor, widths: Tensor) -> Tensor:
    """Alphas of the coarse grids at every pixel of the full images.

    Args:
        alphas: float[B, C, h, w] on the coarse grids.
        coarse_images: float64[B, 3, h, w] in [0, 1].
        images: float32[B, 3, H, W] in [0, 1].
        heights, widths: int64[B], the cells that each image fills.

    Returns:
        float32[B, C, H, W], as linear in `alphas` as it is on the CPU; not clipped.
    """
    coefficients = linear_coefficients(alphas.double(), coarse_images, heights, widths).float()
    size = images.shape[2:]
    total = _enlarge(coefficients[:, 3], size)
    # alpha = a_r I_r + a_g I_g + a_b I_b + b
    for channel in range(3):
        total += _enlarge(coefficients[:, channel], size) * images[:, channel, None]
    return total


def _enlarge(planes: Tensor, size: torch.Size) -> Tensor:
    return functional.interpolate(planes, size=size, mode="bilinear", align_corners=False)
