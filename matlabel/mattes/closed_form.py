"""Closed-form matting (Levin, Lischinski & Weiss, PAMI 2008) of all labels of an image in one linear system."""

import numpy as np
import scipy.sparse.linalg

from matlabel.mattes import downsample, laplacian
from matlabel.mattes.downsample import UNKNOWN
from matlabel.mattes.upsample import upsample


def closed_form(image, trimap, labels, *, scale="auto", epsilon=1e-7, radius=1):
    """Alphas of the background and of every label.

    The system is solved on a grid of scale x scale cells and brought to full size by local-linear upsampling; that
    is for labels, soft alphas for compositing want scale 1. Where a label (or the background) has no cell of its own
    left on the grid, the next finer scale is taken, down to 1, whatever it costs.

    Args:
        image: float[H, W, 3] in [0, 1], or uint8[H, W, 3].
        trimap: uint8[H, W]: 0 background, a label value where that label is sure, 255 unknown.
        labels: distinct label values in 1..254. One without any sure pixel gets alpha 0 everywhere, and so does
            the background; with no labels at all everything is background.
        scale: 1, 2, 4 or "auto" (`downsample.choose_scale`).
        epsilon: regularises the colour covariance of a window; larger gives smoother alphas.
        radius: windows of the Laplacian are (2 * radius + 1) pixels wide.

    Returns:
        float32[C + 1, H, W], background first, then the labels in the order given. In [0, 1], sums to one at every
        pixel, exactly one-hot at sure pixels.

    Raises:
        ValueError: every pixel is unknown (and there are labels), the trimap has a sure value that is not among the
            labels, or an argument has the wrong shape, type or range.
    """
    image, trimap, labels, present = _checked(image, trimap, labels, scale)
    values = np.array([0, *labels])
    if len(values) == 1:
        return np.ones((1, *trimap.shape), dtype=np.float32)

    alphas = np.empty((len(values), *trimap.shape), dtype=np.float32)
    for plane, value in zip(alphas, values, strict=True):
        plane[...] = trimap == value
    if not present[UNKNOWN]:
        return alphas
    seeded = np.flatnonzero(present[values])  # planes that have sure pixels
    if len(seeded) == 0:
        raise ValueError("every pixel of the trimap is unknown: there is nothing to spread into it")

    unknown = np.flatnonzero(trimap == UNKNOWN)
    if len(seeded) == 1:
        alphas[seeded[0]].put(unknown, 1)
        return alphas

    grid = downsample.choose_scale(*trimap.shape) if scale == "auto" else scale
    coarse = downsample.coarse_trimap(trimap, grid)
    while grid > 1 and not _present(coarse)[values[seeded]].all():
        grid //= 2
        coarse = downsample.coarse_trimap(trimap, grid)

    # Σ_k α_k = 1 holds by linearity: solve for all planes but one, which takes the rest.
    rest, *solved = seeded
    small = downsample.area_mean(image, grid)
    raw = solve(small, coarse, values[solved], epsilon, radius)
    raw = raw.reshape(len(solved), -1)[:, unknown] if grid == 1 else upsample(raw, small, image, unknown, grid)
    soft = np.zeros((len(values), raw.shape[1]), dtype=np.float32)
    soft[solved] = raw
    soft[rest] = 1 - raw.sum(axis=0)
    # Alphas overshoot a little. Cutting off below 0 only and dividing keeps the order of the planes, and so the winner.
    np.maximum(soft, 0, out=soft)
    soft /= soft.sum(axis=0)
    alphas.reshape(len(values), -1)[:, unknown] = soft
    return alphas


def solve(image, trimap, labels, epsilon=1e-7, radius=1):
    """Solve for the unknown pixels with the sure ones as hard constraints, at the size given.

    Args:
        image: float64[H, W, 3] in [0, 1].
        trimap: uint8[H, W] label trimap with at least one sure pixel.
        labels: label values to solve for, one right-hand side each (0 is allowed).
        epsilon, radius: as in `closed_form`.

    Returns:
        float64[len(labels), H, W]: not clipped, one-hot at the sure pixels.
    """
    # A side shorter than a window is lengthened at both ends by its own border pixels, sure or unknown as they are.
    short = [max(0, -((side - 2 * radius - 1) // 2)) for side in trimap.shape]
    if any(short):
        pad = [(n, n) for n in short]
        padded = np.pad(image, [*pad, (0, 0)], mode="edge"), np.pad(trimap, pad, mode="edge")
        height, width = trimap.shape
        return solve(*padded, labels, epsilon, radius)[:, short[0] : short[0] + height, short[1] : short[1] + width]

    alphas = np.stack([trimap == label for label in labels]).astype(np.float64)
    unknown = trimap == UNKNOWN
    if not unknown.any():
        return alphas

    # Split the Laplacian into
    #
    #     [L_uu  L_uk]
    #     [L_ku  L_kk]
    #
    # with u the unknown and k the sure pixels; L_uu A_u = −L_uk B_k, one column of A_u and B_k a label.
    stencil = laplacian.matting_stencil(image, epsilon, radius)
    system = laplacian.pick_rows(stencil, unknown, radius)
    right = -laplacian.apply(stencil, alphas, radius)[:, unknown]
    # L_uu is symmetric positive definite: no pivoting, and an ordering for symmetric patterns fills in a third of
    # what SuperLU's default does. Planar graphs have tiny supernodes, so wide panels only cost.
    factors = scipy.sparse.linalg.splu(
        system,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        relax=1,
        panel_size=1,
        options={"SymmetricMode": True},
    )
    alphas[:, unknown] = factors.solve(np.ascontiguousarray(right.T)).T
    return alphas


def _present(trimap):
    """Which of the 256 byte values occur: bool[256]."""
    return np.bincount(trimap.ravel(), minlength=256) > 0


def _checked(image, trimap, labels, scale):
    """The arguments of `closed_form` as arrays and a list of int, and what `_present` says of the trimap."""
    image, trimap = np.asarray(image), np.asarray(trimap)
    if trimap.dtype != np.uint8 or trimap.ndim != 2 or trimap.size == 0:
        raise ValueError(f"expected a trimap uint8[H, W], got {trimap.dtype}{list(trimap.shape)}")
    if image.shape != (*trimap.shape, 3):
        raise ValueError(f"expected an image of shape {[*trimap.shape, 3]} as the trimap, got {list(image.shape)}")
    if image.dtype != np.uint8:
        if not np.issubdtype(image.dtype, np.floating):
            raise ValueError(f"expected an image of type uint8 or float, got {image.dtype}")
        if not (image.min() >= 0 and image.max() <= 1):  # also false where a NaN is
            raise ValueError("expected an image of floats in [0, 1]")
    if scale not in ("auto", 1, 2, 4):
        raise ValueError(f'expected scale "auto", 1, 2 or 4, got {scale!r}')
    labels = [int(label) for label in labels]
    if len(set(labels)) != len(labels) or any(not 1 <= label <= 254 for label in labels):
        raise ValueError(f"expected distinct labels in 1..254, got {labels}")
    present = _present(trimap)
    strangers = sorted(set(np.flatnonzero(present).tolist()) - {0, UNKNOWN, *labels})
    if strangers:
        raise ValueError(f"the trimap has sure pixels of {strangers}, which are not among the labels {labels}")
    return image, trimap, labels, present
