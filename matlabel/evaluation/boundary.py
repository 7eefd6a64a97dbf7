"""Boundary IoU of Cheng, Girshick, Dollár, Berg & Kirillov, "Boundary IoU: Improving Object-Centric Image
Segmentation Evaluation" (CVPR 2021), and the confusion matrix in a band round true contours."""

import numpy as np
from scipy import ndimage

from matlabel.artifacts.label_image import VOID
from matlabel.evaluation.confusion import VoidPolicy, confusion


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


def boundary_counts(
    truth: np.ndarray, predicted: np.ndarray, classes: int, share: float, void: VoidPolicy
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels in the intersection and the union of true and predicted inner boundary, per class.

    Both are to be summed over images before they are divided. Pixels that do not count (true void; with "skip"
    predicted void too) become void on both sides before boundaries are drawn, so that what lies in them changes nothing
    and a prediction that is right everywhere else scores 1.

    Args:
        truth, predicted: uint8[H, W]: 0 background, 1..classes, 255 void.
        share: width of the boundary as a share of the image's diagonal.

    Returns:
        intersection, union: int64[classes + 1].
    """
    dropped = truth == VOID
    if void == "skip":
        dropped |= predicted == VOID
    truth, predicted = (np.where(dropped, np.uint8(VOID), labels) for labels in (truth, predicted))
    width = boundary_width(truth.shape, share)
    true_edge = near_other(truth, width, frame=True)
    predicted_edge = near_other(predicted, width, frame=True)
    intersection = _count(truth, true_edge & predicted_edge & (truth == predicted), classes)
    union = _count(truth, true_edge, classes) + _count(predicted, predicted_edge, classes) - intersection
    return intersection, union


def band_confusion(truth: np.ndarray, predicted: np.ndarray, classes: int, band: int) -> np.ndarray:
    """Confusion matrix of the pixels within `band` pixels (Chebyshev) of a contour of the truth.

    A contour is where two true labels meet, void being one of them: in VOC a strip of void runs along every object.
    The strip itself is not counted, and the image's frame is no contour.

    Returns:
        int64[classes + 1, classes + 2], as `confusion.confusion`.
    """
    near = near_other(truth, band, frame=False)
    return confusion(truth[near], predicted[near], classes)


def _count(labels: np.ndarray, where: np.ndarray, classes: int) -> np.ndarray:
    return np.bincount(labels[where], minlength=256)[: classes + 1].astype(np.int64)
