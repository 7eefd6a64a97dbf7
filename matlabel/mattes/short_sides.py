"""Padding images with a side shorter than one window of a method."""

import numpy as np


def lengthen(image: np.ndarray, trimap: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray, tuple]:
    """Pad image and trimap to at least one window by replicating their border pixels at both ends.

    Both ends alike, so that turning the image turns the alphas.

    Args:
        image: float64[H, W, 3].
        trimap: uint8[H, W].
        window: side of a window in pixels, odd.

    Returns:
        (image, trimap, inner): both with sides of at least a window, the arguments themselves where they had them
        already; `inner` picks the original pixels out of planes of the new size: planes[inner] is [..., H, W].
    """
    pad = _pad(trimap.shape, window)
    inner = (..., *(slice(n, n + side) for (n, _), side in zip(pad, trimap.shape, strict=True)))
    if any(sum(pad, ())):
        image, trimap = np.pad(image, [*pad, (0, 0)], mode="edge"), np.pad(trimap, pad, mode="edge")
    return image, trimap, inner


def lengthen_planes(planes: np.ndarray, window: int) -> np.ndarray:
    """Planes float[..., H, W] lengthened as `lengthen` does their image."""
    pad = _pad(planes.shape[-2:], window)
    return np.pad(planes, [(0, 0)] * (planes.ndim - 2) + pad, mode="edge") if any(sum(pad, ())) else planes


def _pad(shape: tuple[int, int], window: int) -> list[tuple[int, int]]:
    return [(n, n) for n in (max(0, -((side - window) // 2)) for side in shape)]
