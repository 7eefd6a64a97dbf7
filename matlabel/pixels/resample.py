"""Bilinear interpolation weights in the pixel-centre convention (`align_corners=False`)."""

import numpy as np


def taps(length: int, source: int, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two source samples around each target sample of one axis.

    Args:
        length: number of target samples.
        source: number of source samples.
        step: source samples a target sample, e.g. 0.25 when enlarging four times.

    Returns:
        low, high: int64[length] indices into the source; weight: float64[length] of `high`, in [0, 1].
    """
    # Centres: target t lies at (t + 1/2) step − 1/2; beyond the outermost source centres the border is repeated.
    at = np.clip((np.arange(length) + 0.5) * step - 0.5, 0, source - 1)
    low = at.astype(np.int64)
    return low, np.minimum(low + 1, source - 1), at - low


def resize(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize planes as torch's `interpolate(mode="bilinear", align_corners=False)` with a size does.

    Args:
        planes: float[C, h, w].
        height, width: target sides.

    Returns:
        float[C, height, width] of the same dtype.
    """
    for axis, length in ((1, height), (2, width)):
        source = planes.shape[axis]
        low, high, weight = taps(length, source, source / length)
        weight = weight.astype(planes.dtype).reshape((-1, 1) if axis == 1 else (1, -1))
        below = planes.take(low, axis=axis)
        planes = below + weight * (planes.take(high, axis=axis) - below)
    return planes
