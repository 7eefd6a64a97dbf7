"""Probabilities as bytes: largest-remainder rounding, so that the planes of a pixel still sum to one (255)."""

import numpy as np


def quantise(probabilities):
    """Round non-negative planes to bytes that sum to exactly 255 at every pixel (Hamilton's method).

    A plane is never more than 1 away from its exact share of 255. The bytes that rounding down leaves over go
    to the planes with the largest remainders; between equal remainders the lower plane wins, so that the same
    input gives the same bytes on every machine.

    Args:
        probabilities: real[C, H, W], C >= 1, finite and non-negative. Each pixel is divided by its own sum, so any
            scale will do; a pixel whose planes are all 0 goes wholly to plane 0 (the background).

    Returns:
        uint8[C, H, W]: every pixel sums to 255.

    Raises:
        ValueError: the array is not [C, H, W] with C >= 1, or holds a negative or non-finite value.
    """
    planes = np.asarray(probabilities)
    if planes.ndim != 3 or planes.shape[0] == 0:
        raise ValueError(f"expected planes [C, H, W] with at least one plane, got shape {planes.shape}")
    if planes.dtype != np.float32:
        planes = planes.astype(np.float64)
    if planes.size and not (planes.min() >= 0 and planes.max() < np.inf):  # also false where a NaN is
        raise ValueError("probabilities have to be finite and at least 0")

    # Dividing by the largest plane first keeps the sum of huge values finite and that of tiny ones above 0.
    largest = planes.max(axis=0)
    empty = largest == 0
    exact = planes / np.where(empty, 1, largest)
    exact[0][empty] = 1
    # exact_c = 255 p_c / Σ p
    exact *= 255 / exact.sum(axis=0)

    rounded = exact.astype(np.uint8)
    missing = 255 - rounded.sum(axis=0, dtype=np.int32)

    # Most pixels of a matte are one-hot and miss nothing: hand out bytes to the others only.
    unfinished = np.flatnonzero(missing)
    missing = missing.ravel()[unfinished]
    remainder = exact.reshape(len(planes), -1)[:, unfinished]
    extra = np.zeros(remainder.shape, dtype=np.uint8)
    remainder -= np.floor(remainder)
    pixel = np.arange(len(unfinished))
    for given in range(missing.max(initial=0)):
        winner = remainder.argmax(axis=0)  # the lower plane of equals
        extra[winner, pixel] += missing > given
        remainder[winner, pixel] = -1
    rounded.reshape(len(planes), -1)[:, unfinished] += extra
    return rounded
