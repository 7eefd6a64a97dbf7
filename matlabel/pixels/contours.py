"""Where labels meet: pixels near a contour, and widths that follow the size of an image."""

import numpy as np
from scipy import ndimage


def near_other(labels: np.ndarray, distance: int, frame: bool) -> np.ndarray:
    """Pixels within `distance` (Chebyshev) of a pixel with another label.

    Args:
        labels: uint8[H, W].
        distance: in pixels, at least 1.
        frame: whether what lies outside the image counts as another label.

    Returns:
        bool[H, W]. With `frame`, the pixels of a label that are set are the label's region minus its erosion by a
        square of 2 distance + 1: its inner boundary, for all labels at once.
    """
    values = labels.astype(np.int16)
    # Outside is −1, which no label is: every window that reaches it differs.
    border = {"mode": "constant", "cval": -1} if frame else {"mode": "nearest"}
    size = 2 * distance + 1
    return ndimage.minimum_filter(values, size, **border) != ndimage.maximum_filter(values, size, **border)


def boundary_width(shape: tuple[int, int], share: float) -> int:
    """Width of a boundary in pixels: a share of the diagonal, at least 1."""
    return max(1, round(share * float(np.hypot(*shape))))
