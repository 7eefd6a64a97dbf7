"""Resizing maps to the size that activations are stored at."""

import numpy as np
from PIL import Image


def resampled(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Planes resized bilinearly; where they shrink, every source pixel counts (no aliasing).

    Args:
        planes: float32[C, h, w]; what sums to one over C still does.
        height, width: target sides.

    Returns:
        float32[C, height, width].
    """
    if planes.shape[1:] == (height, width):
        return planes
    resize = [Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR) for plane in planes]
    return np.stack([np.asarray(plane) for plane in resize])
