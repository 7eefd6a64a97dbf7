"""Planes of several values turned into shares of every pixel."""

import numpy as np


def shares(planes: np.ndarray) -> np.ndarray:
    """Cut planes off below 0 and divide by their sum; a pixel where none is above 0 is shared evenly.

    Args:
        planes: float[C, ...], one plane a value; not changed.

    Returns:
        float[C, ...] in [0, 1] of the same type, sums to one at every pixel.
    """
    planes = np.maximum(planes, 0)
    total = planes.sum(axis=0)
    planes[:, total == 0] = 1
    return planes / planes.sum(axis=0)
