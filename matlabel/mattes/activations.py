"""Method `none`: no matting, the activations themselves at the size of the image."""

import numpy as np

from matlabel.pixels import resample


def enlarge_activations(activations: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarge quarter-size activations bilinearly so that the planes of every pixel sum to one.

    Args:
        activations: uint8 or float [C + 1, h, w], background first, non-negative; any scale.
        height, width: sides of the image.

    Returns:
        float32[C + 1, height, width] in [0, 1]; a pixel without any activation is background.

    Raises:
        ValueError: the array is not [C + 1, h, w] with at least one plane and one pixel.
    """
    planes = np.asarray(activations)
    if planes.ndim != 3 or 0 in planes.shape:
        raise ValueError(f"expected activations [C + 1, h, w], none of them 0, got shape {planes.shape}")
    planes = resample.resize(planes.astype(np.float32), height, width)
    total = planes.sum(axis=0)
    planes[0][total == 0] = 1
    return planes / np.where(total == 0, 1, total)
