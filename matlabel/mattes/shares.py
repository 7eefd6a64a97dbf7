"""Normalising planes so that they sum to one at every pixel."""

import numpy as np


def shares(planes: np.ndarray) -> np.ndarray:
    """Clip planes at 0 and divide by their sum; uniform where none is above 0.

    Args:
        planes: float[C, ...], one plane a value; not changed.

    Returns:
        float[C, ...] in [0, 1] of the same type, sums to one at every pixel.
    """
    planes = np.maximum(planes, 0)
    total = planes.sum(axis=0)
    planes[:, total == 0] = 1
    return planes / planes.sum(axis=0)
