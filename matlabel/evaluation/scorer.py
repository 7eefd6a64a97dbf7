"""All scores of label images against true masks, accumulated over images."""

from typing import Any

import numpy as np

from matlabel.evaluation.bootstrap import interval
from matlabel.evaluation.boundary import band_confusion, boundary_counts
from matlabel.evaluation.confusion import confusion, counts, iou, mean_iou, pixel_accuracy, void_share
from matlabel.settings.evaluation import EvaluationSettings


class MaskScorer:
    """Scores of label images, streamed: `add` each image, then ask for the `summary`."""

    def __init__(self, classes: int, settings: EvaluationSettings):
        self._classes = classes
        self._settings = settings
        self._matrix = np.zeros((classes + 1, classes + 2), np.int64)
        self._band = np.zeros_like(self._matrix)
        self._boundary = np.zeros((2, classes + 1), np.int64)
        self._images: list[tuple[np.ndarray, np.ndarray]] = []

    @property
    def images(self) -> int:
        """Number of images added."""
        return len(self._images)

    def add(self, truth: np.ndarray, labels: np.ndarray) -> float:
        """Count an image, both uint8[H, W], and return its own mIoU (over the classes in either; NaN if all void)."""
        void = self._settings.void
        matrix = confusion(truth, labels, self._classes)
        self._matrix += matrix
        self._band += band_confusion(truth, labels, self._classes, self._settings.band)
        self._boundary += boundary_counts(truth, labels, self._classes, self._settings.boundary, void)
        self._images.append(counts(matrix, void))
        return float(mean_iou(*self._images[-1]))

    def merged(self, other: "MaskScorer") -> "MaskScorer":
        """A scorer of both scorers' images."""
        both = MaskScorer(self._classes, self._settings)
        both._matrix = self._matrix + other._matrix
        both._band = self._band + other._band
        both._boundary = self._boundary + other._boundary
        both._images = self._images + other._images
        return both

    def summary(self, names: list[str]) -> dict[str, Any] | None:
        """The scores, by name as scores.json holds them (see stage.py); None if no image was added.

        Args:
            names: of the labels 0..K.
        """
        if not self._images:
            return None
        void = self._settings.void
        total = counts(self._matrix, void)
        intersections, unions = (np.stack(part) for part in zip(*self._images, strict=True))
        return {
            "images": self.images,
            "miou": mean_iou(*total),
            "iou": dict(zip(names, iou(*total), strict=True)),
            "pixel_accuracy": pixel_accuracy(self._matrix, void),
            "void_share": void_share(self._matrix),
            "boundary_iou": mean_iou(*self._boundary),
            "boundary": dict(zip(names, iou(*self._boundary), strict=True)),
            "band_miou": mean_iou(*counts(self._band, void)),
            "interval": interval(intersections, unions, self._settings.bootstrap),
        }
