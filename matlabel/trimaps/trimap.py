"""From activations to a label trimap: sure class, sure background, unknown."""

import math

import numpy as np
from scipy import ndimage

from matlabel.pixels.contours import boundary_width, near_other
from matlabel.pixels.small_regions import drop_small_regions
from matlabel.settings.trimaps import TrimapsSettings

UNKNOWN = 255


def label_trimap(
    probabilities: np.ndarray, classes: np.ndarray, settings: TrimapsSettings
) -> tuple[np.ndarray, list[int]]:
    """Believe the activations where a class wins by far; leave the rest to matting.

    Near the contours of their winner they are not believed however strong they are: that is where colours know better.

    Args:
        probabilities: float32[C + 1, H, W], background first, summing to one, at the size of the image.
        classes: uint8[C] label values of the planes after the background, ascending.
        settings: levels, least regions, contour, specks, band.

    Returns:
        uint8[H, W] with 0 background, 1..K sure class, 255 unknown, and the label values whose sure region had to be
        enforced, ascending. Every present class has a sure region, and so has the background.
    """
    values = np.concatenate([[0], classes]).astype(np.uint8)
    height, width = probabilities.shape[1:]
    if len(values) == 1:
        return np.zeros((height, width), np.uint8), []
    lead = _lead(probabilities)
    trimap = np.full((height, width), UNKNOWN, np.uint8)
    for plane, value in enumerate(values):
        level = settings.foreground if plane else settings.background
        # Without a margin the background needs only its level: what competes with it is the sum of all classes.
        ahead = lead[plane] >= (settings.margin if plane else 0)
        trimap[(probabilities[plane] >= level) & ahead] = value
    levels = np.bincount(trimap.ravel(), minlength=UNKNOWN + 1)
    if settings.contour:
        reach = boundary_width(trimap.shape, settings.contour)
        trimap[near_other(probabilities.argmax(axis=0), reach, frame=False)] = UNKNOWN
    drop_small_regions(trimap, settings.speck)
    separate(trimap, settings.band)
    return trimap, enforce(trimap, lead, values, settings, levels)


def separate(trimap: np.ndarray, band: int) -> None:
    """Make sure pixels within `band` pixels (Chebyshev distance) of another sure region unknown, in place."""
    if band < 1:
        return
    sure = trimap != UNKNOWN
    # Extremes over the neighbourhood, unknown pixels out of the way: they differ where two labels meet.
    size = 2 * band + 1
    highest = ndimage.maximum_filter(np.where(sure, trimap, 0).astype(np.int16), size, mode="nearest")
    lowest = ndimage.minimum_filter(np.where(sure, trimap, UNKNOWN).astype(np.int16), size, mode="nearest")
    trimap[sure & (highest != lowest)] = UNKNOWN


def enforce(
    trimap: np.ndarray, lead: np.ndarray, values: np.ndarray, settings: TrimapsSettings, levels: np.ndarray
) -> list[int]:
    """Give every label its least sure region: the pixels where it leads most, in place.

    A class that is tagged is somewhere, so its best pixels are sure even where another label was; only labels that
    have few pixels themselves are spared. What lies within the band round an enforced region becomes unknown. A label
    that has pixels left and would have enough of them but for its contours is small, and falls short of nothing.

    Args:
        trimap: uint8[H, W].
        lead: float32[C + 1, H, W], see `_lead`.
        values: uint8[C + 1] label values of the planes.
        settings: least_object, least_background, band.
        levels: int64[256], pixels of each label value whose activations reach the levels, contours included.

    Returns:
        the label values that fell short, ascending.
    """
    enforced = []
    # A label with more pixels than this can give as many away and still have some.
    most = max(1, trimap.size // (2 * len(values)))
    for plane, value in enumerate(values):
        share = settings.least_object if plane else settings.least_background
        least = min(most, max(1, math.ceil(share * trimap.size)))
        found = np.count_nonzero(trimap == value)
        if found >= least or (found and levels[value] >= least):
            continue
        enforced.append(int(value))
        scarce = [other for other in values if other != value and np.count_nonzero(trimap == other) <= most]
        rank = lead[plane] + 8.0 * (trimap == value) - 16.0 * np.isin(trimap, scarce)
        trimap.reshape(-1)[np.argsort(-rank, axis=None, kind="stable")[:least]] = value
        _clear_band(trimap, value, values, settings.band)
    return enforced


def _clear_band(trimap: np.ndarray, value: int, values: np.ndarray, band: int) -> None:
    if band < 1:
        return
    near = ndimage.maximum_filter(trimap == value, 2 * band + 1) & (trimap != value)
    for other in values:
        if other != value and (~near[trimap == other]).any():
            trimap[near & (trimap == other)] = UNKNOWN


def _lead(probabilities: np.ndarray) -> np.ndarray:
    """float32[C + 1, H, W]: how far each label is ahead of the best of the others."""
    top = np.sort(probabilities, axis=0)[-2:]
    others = np.where(probabilities == top[1], top[0], top[1])
    return probabilities - others
