"""Boundary IoU of Cheng, Girshick, Dollár, Berg & Kirillov, "Boundary IoU: Improving Object-Centric Image
Segmentation Evaluation" (CVPR 2021), and the confusion matrix in a band round true contours."""

import numpy as np

from matlabel.artifacts.label_image import VOID
from matlabel.evaluation.confusion import VoidPolicy, confusion
from matlabel.pixels.contours import boundary_width, near_other


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
