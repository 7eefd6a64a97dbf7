"""Local-linear upsampling: He & Sun, "Fast Guided Filter" (arXiv 1505.00996), with the image itself as the guide.

Within a small window an alpha is close to linear in the colour (the assumption of closed-form matting itself), so
the coefficients are fitted on the coarse grid, where alphas are known, and applied to the colours of the full image,
where the edges are.
"""

import numpy as np
from scipy.ndimage import uniform_filter1d

from matlabel.mattes import cholesky3
from matlabel.pixels import resample


def _window_mean(planes: np.ndarray, radius: int) -> np.ndarray:
    """Mean over a (2 * radius + 1)² window; the border is mirrored, so constants are kept."""
    for axis in (-2, -1):
        planes = uniform_filter1d(planes, 2 * radius + 1, axis=axis, mode="reflect")
    return planes


def linear_coefficients(alphas: np.ndarray, image: np.ndarray, epsilon: float, radius: int = 1) -> np.ndarray:
    """Ridge regression alpha ≈ aᵀ I + b in every window, then the mean over the windows that cover a pixel.

    Args:
        alphas: float64[C, h, w].
        image: float64[h, w, 3] in [0, 1].
        epsilon: ridge, added to the colour variance; larger gives flatter alphas.
        radius: windows are (2 * radius + 1) pixels wide.

    Returns:
        float64[4, C, h, w]: a for red, green and blue, then b.
    """
    guide = np.moveaxis(image, 2, 0)
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    mean_alpha = _window_mean(alphas, radius)
    mean_guide = _window_mean(guide, radius)
    second = _window_mean(np.stack([guide[p] * guide[q] for p, q in pairs]), radius)
    cross = _window_mean(guide[:, None] * alphas, radius)

    covariance = [
        second[k] - mean_guide[p] * mean_guide[q] + (epsilon if p == q else 0.0) for k, (p, q) in enumerate(pairs)
    ]
    # (Σ + ε 1) a = cov(I, alpha);  b = mean(alpha) − aᵀ mean(I)
    slope = np.stack(cholesky3.solve(cholesky3.factor(*covariance), cross - mean_guide[:, None] * mean_alpha))
    intercept = mean_alpha - np.einsum("kcij,kij->cij", slope, mean_guide)
    return _window_mean(np.concatenate([slope, intercept[None]]), radius)


def upsample(
    alphas: np.ndarray,
    coarse_image: np.ndarray,
    image: np.ndarray,
    pixels: np.ndarray,
    scale: int,
    epsilon: float = 1e-5,
    radius: int = 1,
) -> np.ndarray:
    """Alphas of the coarse grid at some pixels of the full image.

    The map is linear in `alphas` and keeps constants, so planes that sum to one still do; single values may leave
    [0, 1] by overshoot, clipping is left to the caller. The default epsilon had the lowest error on alphamatting.com
    images among 1e-7 to 1e-3, by little.

    Args:
        alphas: float64[C, h, w] on the coarse grid.
        coarse_image: float64[h, w, 3] in [0, 1].
        image: float[H, W, 3] in [0, 1] or uint8[H, W, 3]; cell (i, j) covers its pixels from (i scale, j scale) on.
        pixels: int64[n], the wanted pixels as indices y * W + x, at least one.
        scale: side of a cell in pixels.
        epsilon, radius: as in `linear_coefficients`.

    Returns:
        float32[C, n].
    """
    y, x = np.divmod(pixels, image.shape[1])
    # Only cells about the wanted pixels count: one further is interpolated from, and twice a window is averaged over.
    reach = 1 + 2 * radius
    top, left = max(0, y.min() // scale - reach), max(0, x.min() // scale - reach)
    bottom, right = y.max() // scale + reach + 1, x.max() // scale + reach + 1
    alphas, coarse_image = alphas[:, top:bottom, left:right], coarse_image[top:bottom, left:right]
    image = image[top * scale : bottom * scale, left * scale : right * scale]
    y, x = y - top * scale, x - left * scale

    count, coarse_height, coarse_width = alphas.shape
    height, width = image.shape[:2]
    coefficients = linear_coefficients(alphas, coarse_image, epsilon, radius).astype(np.float32)
    # One row a cell, so that its coefficients are fetched together.
    table = np.ascontiguousarray(coefficients.reshape(4 * count, coarse_height, coarse_width).transpose(1, 2, 0))

    # Down all columns first (there are few), then across at the wanted pixels only.
    low, high, weight = resample.taps(height, coarse_height, 1 / scale)
    weight = weight.astype(np.float32)[:, None, None]
    table = (table[low] + weight * (table[high] - table[low])).reshape(height * coarse_width, 4 * count)

    low, high, weight = resample.taps(width, coarse_width, 1 / scale)
    row = y * coarse_width
    near = table.take(row + low[x], axis=0)
    near += weight.astype(np.float32)[x, None] * (table.take(row + high[x], axis=0) - near)
    near = near.reshape(-1, 4, count)

    colour = image[y, x].astype(np.float32)
    if image.dtype == np.uint8:
        colour /= 255
    # alpha = a_r I_r + a_g I_g + a_b I_b + b
    fitted = near[:, 3].T.copy()
    for channel in range(3):
        fitted += near[:, channel].T * colour[:, channel]
    return fitted
