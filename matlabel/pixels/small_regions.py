"""Removing small connected regions."""

import numpy as np
from scipy import ndimage

from matlabel.artifacts.label_image import VOID


def drop_small_regions(values: np.ndarray, share: float) -> None:
    """Make 8-connected regions of one value under `share` of the image 255 (unknown, or void), in place.

    Args:
        values: uint8[H, W] label trimap or label image.
        share: of the image's pixels; a region of one pixel is never dropped by a share of less than that.
    """
    least = share * values.size
    if least <= 1:
        return
    for value in np.unique(values[values != VOID]):
        regions, _ = ndimage.label(values == value, structure=np.ones((3, 3)))
        sizes = np.bincount(regions.ravel())
        small = sizes < least
        small[0] = False
        values[small[regions]] = VOID
