"""The confusion matrix and what follows from it: IoU, its mean over classes, pixel accuracy, share of void."""

from typing import Literal

import numpy as np

from matlabel.artifacts.label_image import VOID

VoidPolicy = Literal["wrong", "skip"]


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count the pixels of each pair of true and predicted label; true void is dropped.

    Args:
        truth, predicted: uint8 arrays of one shape: 0 background, 1..classes, 255 void.
        classes: number K of object classes, at most 254.

    Returns:
        int64[K + 1, K + 2]: rows true labels, columns predicted ones, the last column predicted void.

    Raises:
        ValueError: shapes differ, or a label is neither 0..K nor 255.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"truth is {list(truth.shape)}, predicted is {list(predicted.shape)}")
    columns = classes + 2
    # With 256 rows and columns no lookup is needed, and a wrong label shows up as a count outside the matrix.
    pairs = np.bincount(truth.astype(np.uint16).ravel() * 256 + predicted.ravel(), minlength=65536).reshape(256, 256)
    known = pairs[:VOID]
    matrix = np.zeros((classes + 1, columns), np.int64)
    matrix[:, : classes + 1] = known[: classes + 1, : classes + 1]
    matrix[:, classes + 1] = known[: classes + 1, VOID]
    if matrix.sum() != known.sum():
        raise ValueError(f"labels must be 0 to {classes} or {VOID}")
    return matrix


def counts(matrix: np.ndarray, void: VoidPolicy) -> tuple[np.ndarray, np.ndarray]:
    """Pixels in the intersection and in the union of truth and prediction, per class.

    Args:
        matrix: int64[K + 1, K + 2] of `confusion`, of one image or many: the result is linear in it.
        void: "wrong" leaves pixels that were predicted void in the union of their true class; "skip" drops them.

    Returns:
        intersection, union: int64[K + 1].
    """
    decided = matrix[:, :-1]
    intersection = np.diagonal(decided).copy()
    true_pixels = (matrix if void == "wrong" else decided).sum(axis=1)
    return intersection, true_pixels + decided.sum(axis=0) - intersection


def iou(intersection: np.ndarray, union: np.ndarray) -> np.ndarray:
    """float64 of the same shape: intersection over union; NaN for a class that is in neither."""
    return np.divide(intersection, union, out=np.full(np.shape(union), np.nan), where=np.asarray(union) > 0)


def mean_iou(intersection: np.ndarray, union: np.ndarray) -> np.ndarray:
    """Mean IoU over the last axis, over the classes that occur in truth or prediction; NaN where none does."""
    values, occurs = iou(intersection, union), np.asarray(union) > 0
    number = occurs.sum(axis=-1)
    total = np.where(occurs, values, 0).sum(axis=-1)
    return np.divide(total, number, out=np.full(np.shape(total), np.nan), where=number > 0)


def pixel_accuracy(matrix: np.ndarray, void: VoidPolicy) -> float:
    """Share of the pixels that have the right label; NaN without pixels."""
    decided = matrix[:, :-1]
    pixels = (matrix if void == "wrong" else decided).sum()
    return float(np.trace(decided) / pixels) if pixels else float("nan")


def void_share(matrix: np.ndarray) -> float:
    """Share of the pixels with a true label that were predicted void; NaN without pixels."""
    pixels = matrix.sum()
    return float(matrix[:, -1].sum() / pixels) if pixels else float("nan")
