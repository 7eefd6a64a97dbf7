"""The CAM seed: mIoU of the activations by themselves, at the best background threshold."""

from collections.abc import Iterator

import numpy as np

from matlabel.artifacts.label_image import VOID
from matlabel.evaluation.confusion import mean_iou

LEVELS = 256


def enlarged(planes: np.ndarray, shape: tuple[int, int]) -> Iterator[tuple[np.ndarray, int]]:
    """Resize planes bilinearly to `shape` (pixel centres, `align_corners=False`), exactly, one after the other.

    The weights are fractions of 2H and 2W, so whole numbers hold every value without rounding, and a threshold never
    falls on the wrong side of one.

    Args:
        planes: uint8[C, h, w].
        shape: (H, W).

    Yields:
        int64[H, W], and the number 4HW that it must be divided by to give values in 0..255.
    """
    height, width = shape
    top, bottom, down = _taps(height, planes.shape[1])
    left, right, across = _taps(width, planes.shape[2])
    for plane in planes.astype(np.int64):
        rows = plane[top] * (2 * height - down)[:, None] + plane[bottom] * down[:, None]
        yield rows[:, left] * (2 * width - across) + rows[:, right] * across, 4 * height * width


def winners(
    probabilities: np.ndarray, classes: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The strongest label of every pixel, with and without the background as a candidate.

    Args:
        probabilities: uint8[C + 1, h, w], background first, 255 being 1.
        classes: uint8[C], the label values of the other planes.
        shape: (H, W) of the image.

    Returns:
        objects: uint8[H, W], the strongest object class; 0 if there is no class.
        level: uint8[H, W]: its probability reaches threshold t / 255 for t = 0..level.
        winner: uint8[H, W], the strongest of all. Between equals the earlier plane wins.
    """
    planes = enlarged(probabilities, shape)
    background, whole = next(planes)
    objects = np.zeros(shape, np.uint8)
    best = np.full(shape, -1, np.int64)
    for label, (plane, _) in zip(classes, planes, strict=True):
        ahead = plane > best
        objects[ahead] = label
        np.maximum(best, plane, out=best)
    winner = np.where(best > background, objects, 0).astype(np.uint8)
    return objects, (np.maximum(best, 0) // whole).astype(np.uint8), winner


class ThresholdSweep:
    """IoU of "the strongest object class where it reaches t, else background" for all t at once, over many images.

    A pixel adds one to a histogram over (truth, strongest class, level). Only those sums of it are kept which IoU
    needs, so memory grows with K, not with K².
    """

    def __init__(self, classes: int):
        self._truth = np.zeros(classes + 1, np.int64)
        self._claimed = np.zeros((classes + 1, LEVELS), np.int64)
        self._right = np.zeros((classes + 1, LEVELS), np.int64)
        self._background_claimed = np.zeros(LEVELS, np.int64)
        self.images = 0

    def add(self, truth: np.ndarray, objects: np.ndarray, level: np.ndarray) -> None:
        """Count an image: its truth uint8[H, W] (255 is dropped), and `objects` and `level` of `winners`."""
        known = truth != VOID
        truth, objects, level = truth[known].astype(np.int64), objects[known].astype(np.int64), level[known]
        size, cell = self._claimed.size, objects * LEVELS + level
        self._truth += np.bincount(truth, minlength=len(self._truth))
        self._claimed += np.bincount(cell, minlength=size).reshape(-1, LEVELS)
        self._right += np.bincount(cell[truth == objects], minlength=size).reshape(-1, LEVELS)
        self._background_claimed += np.bincount(level[(truth == 0) & (objects > 0)], minlength=LEVELS)
        self.images += 1

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Intersection and union, int64[256, K + 1]: a row for each threshold 0/255 .. 255/255."""
        claimed, right = _reaching(self._claimed), _reaching(self._right)
        # A pixel without any object class stays background at every threshold.
        claimed[:, 0] = self._truth.sum() - claimed[:, 1:].sum(axis=1)
        right[:, 0] = self._truth[0] - _reaching(self._background_claimed)
        return right, self._truth + claimed - right

    def curve(self) -> np.ndarray:
        """float64[256]: mIoU at each threshold; NaN if nothing was counted."""
        return mean_iou(*self.counts())


def best_threshold(curve: np.ndarray) -> int | None:
    """The level 0..255 of the highest mIoU, the lowest of equals; None for a curve without any value."""
    return None if np.isnan(curve).all() else int(np.nanargmax(curve))


def _reaching(histogram: np.ndarray) -> np.ndarray:
    """Histogram over levels (last axis) -> int64[256, ...]: the pixels of level t and above."""
    return np.flip(np.cumsum(np.flip(histogram, -1), axis=-1), -1).T.copy()


def _taps(length: int, source: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of the two samples round each target centre, and the weight of the second in 2 length-ths."""
    # (t + ½) source / length − ½ = ((2t + 1) source − length) / 2 length; beyond the outer centres the border repeats.
    at = np.clip((2 * np.arange(length) + 1) * source - length, 0, 2 * length * (source - 1))
    low = at // (2 * length)
    return low, np.minimum(low + 1, source - 1), at % (2 * length)
