"""Trimap quality: precision and recall of the known pixels, and the share left unknown."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TrimapScores:
    """Shares in 0..1, over the pixels with a true label; NaN where nothing is there to count.

    Attributes:
        object_precision: of the pixels that are sure of an object class, those of the right class.
        object_recall: of the pixels of true objects, those that are sure of the right class.
        background_precision: of the pixels that are sure background, those that are background.
        unknown_share: of all pixels, those left unknown.
        precision, recall, unknown: float64[K + 1], background first: of the pixels sure of the label, those right; of
            the pixels that truly have it, those sure of it, and those left unknown.
    """

    object_precision: float
    object_recall: float
    background_precision: float
    unknown_share: float
    precision: np.ndarray
    recall: np.ndarray
    unknown: np.ndarray


def trimap_scores(matrix: np.ndarray) -> TrimapScores:
    """Score trimaps by their confusion with the truth.

    Args:
        matrix: int64[K + 1, K + 2] of `confusion.confusion(truth, trimap, K)`, summed over images: unknown is 255 in a
            trimap, so the last column holds it.
    """
    sure, unknown, true = matrix[:, :-1], matrix[:, -1], matrix.sum(axis=1)
    right = np.diagonal(sure)
    return TrimapScores(
        object_precision=float(_share(right[1:].sum(), sure[:, 1:].sum())),
        object_recall=float(_share(right[1:].sum(), true[1:].sum())),
        background_precision=float(_share(right[0], sure[:, 0].sum())),
        unknown_share=float(_share(unknown.sum(), true.sum())),
        precision=_share(right, sure.sum(axis=0)),
        recall=_share(right, true),
        unknown=_share(unknown, true),
    )


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    whole = np.asarray(whole)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
