"""Scores on training images with masks: CAM seed, argmax, trimaps, mattes and labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from matlabel.evaluation.confusion import confusion, iou, mean_iou
from matlabel.evaluation.scorer import MaskScorer
from matlabel.evaluation.seed import LEVELS, ThresholdSweep, best_threshold, winners
from matlabel.evaluation.trimaps import TrimapScores, trimap_scores
from matlabel.settings.evaluation import EvaluationSettings

HALVES = ("tuning", "scoring")
SEEDS = {"seed": "probabilities", "seed_unspread": "unspread"}


@dataclass(frozen=True)
class ImageScores:
    """mIoU of one image, over the classes in its truth or prediction; None where the stage left nothing."""

    half: str
    labels: float
    winner: float | None


class TrainingImages:
    """Accumulates the scores of images, added in manifest order.

    Every other image, beginning with the first, is for tuning: the seed's threshold is chosen there. All that is
    compared is scored on the rest, so that no score was tuned on its own images.
    """

    def __init__(self, classes: int, settings: EvaluationSettings):
        self._classes = classes
        self._sweeps = {name: {half: ThresholdSweep(classes) for half in HALVES} for name in SEEDS}
        self._winner = {half: MaskScorer(classes, settings) for half in HALVES}
        self._mattes = {half: MaskScorer(classes, settings) for half in HALVES}
        self._labels = {half: MaskScorer(classes, settings) for half in HALVES}
        self._trimaps = {half: np.zeros((classes + 1, classes + 2), np.int64) for half in HALVES}
        self._has_trimaps = False
        self.images = self.compared = self.better = self.worse = 0

    def add(
        self,
        truth: np.ndarray,
        labels: np.ndarray,
        activations: dict[str, np.ndarray] | None,
        trimap: np.ndarray | None,
        matte: dict[str, np.ndarray] | None,
    ) -> ImageScores:
        """Score one image.

        Args:
            truth, labels, trimap: uint8[H, W].
            activations: `classes` uint8[C], `probabilities` uint8[C + 1, h, w], perhaps `unspread` of that shape.
            matte: `classes` uint8[C], `alphas` uint8[C + 1, H, W].
        """
        half = HALVES[self.images % 2]
        self.images += 1
        of_labels, of_winner = self._labels[half].add(truth, labels), None
        if activations is not None:
            for name, planes in SEEDS.items():
                if planes in activations:
                    objects, level, winner = winners(activations[planes], activations["classes"], truth.shape)
                    self._sweeps[name][half].add(truth, objects, level)
                    if name == "seed":
                        of_winner = self._winner[half].add(truth, winner)
                        self.compared += 1
                        self.better += of_labels > of_winner
                        self.worse += of_labels < of_winner
        if trimap is not None:
            self._has_trimaps = True
            self._trimaps[half] += confusion(truth, trimap, self._classes)
        if matte is not None:
            values = np.concatenate([[0], matte["classes"]]).astype(np.uint8)
            self._mattes[half].add(truth, values[matte["alphas"].argmax(axis=0)])
        return ImageScores(half, of_labels, of_winner)

    def number(self, half: str) -> int:
        """Number of images in a half."""
        return self._labels[half].images

    def seed(self, name: str, labels: list[str]) -> dict[str, Any] | None:
        """Scores of the CAM seed at the threshold that is best on the tuning half; None without activations or masks.

        Args:
            name: "seed" (after spreading) or "seed_unspread".
            labels: names of the labels 0..K.
        """
        sweeps = self._sweeps[name]
        best = best_threshold(sweeps["tuning"].curve())
        if best is None:
            return None
        scores: dict[str, Any] = {"threshold": best / (LEVELS - 1)}
        for half, sweep in sweeps.items():
            intersection, union = (part[best] for part in sweep.counts())
            scores[half] = {
                "images": sweep.images,
                "miou": mean_iou(intersection, union),
                "iou": dict(zip(labels, iou(intersection, union), strict=True)),
            }
            if not sweep.images:
                scores[half] = None
        return scores

    def curves(self) -> dict[str, np.ndarray]:
        """Column of curves.csv -> float64[256], mIoU by threshold."""
        return {
            half if name == "seed" else f"unspread_{half}": sweep.curve()
            for name, sweeps in self._sweeps.items()
            for half, sweep in sweeps.items()
        }

    def trimaps(self) -> TrimapScores | None:
        """Scores of the trimaps on the scoring half; None without trimaps or images."""
        return trimap_scores(self._trimaps["scoring"]) if self._has_trimaps and self.number("scoring") else None

    def winner(self, labels: list[str]) -> dict[str, Any] | None:
        """Scores of the activations' argmax, background included, on the scoring half."""
        return self._winner["scoring"].summary(labels)

    def mattes(self, labels: list[str]) -> dict[str, Any] | None:
        """Scores of the alphas' argmax, before labels.margin and labels.least_region make void, on the scoring half."""
        return self._mattes["scoring"].summary(labels)

    def labels(self, labels: list[str]) -> dict[str, Any] | None:
        """Scores of the pseudo-labels on the scoring half, and under "all" on both."""
        scores = self._labels["scoring"].summary(labels)
        everything = self._labels["tuning"].merged(self._labels["scoring"]).summary(labels)
        return {**scores, "all": everything} if scores else None
