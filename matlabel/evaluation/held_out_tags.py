"""Likely wrong tags, by confident learning on held-out predictions of the classifiers."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Images with, and without, a class that its doubts take: of a single one the classifier had seen no other.
LEAST = 2


@dataclass(frozen=True)
class TagDoubt:
    """A tag that the classifier contradicts: probably wrong, or probably missing.

    Attributes:
        label: class index 0..K-1.
        tagged: whether it stands.
        probability: that the image shows the class, as the classifier says.
    """

    label: int
    tagged: bool
    probability: float

    @property
    def severity(self) -> float:
        """How sure the classifier is that the tag is wrong, 0..1."""
        return 1 - self.probability if self.tagged else self.probability


class HeldOutTags:
    """Probabilities of the classes for images that were held out (held_out.csv of the stage cam).

    A tag is doubted by the thresholds of confident learning (Northcutt, Jiang & Chuang, "Confident Learning:
    Estimating Uncertainty in Dataset Labels", JAIR 2021): a missing one where the probability is at least as high as
    it is in the mean of the images that have the tag, a wrong one where it is at most as high as in the mean of those
    that do not; and only against the odds, and of classes that are known from several images.

    Args:
        path: of the file.
        tags: image id -> label values 1..K of its tags.
        classes: number K of classes.
    """

    def __init__(self, path: Path, tags: dict[str, Sequence[int]], classes: int):
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
        self._found = {row[0]: np.array(row[1:], np.float64) for row in rows}
        self._tags = {image_id: set(labels) for image_id, labels in tags.items()}
        known = [image_id for image_id in self._found if image_id in self._tags]
        found = np.array([self._found[image_id] for image_id in known]).reshape(len(known), classes)
        tagged = np.array([[label + 1 in self._tags[i] for label in range(classes)] for i in known], bool)
        tagged = tagged.reshape(len(known), classes)
        # Of a class that next to no image has, or next to all have, nothing can be said.
        enough = np.minimum(tagged.sum(0), (~tagged).sum(0)) >= LEAST
        self._missing = np.where(enough, np.maximum(_means(found, tagged), 0.5), np.inf)
        self._wrong = np.where(enough, np.minimum(_means(found, ~tagged), 0.5), -np.inf)

    def doubts(self, image_id: str) -> list[TagDoubt]:
        """The doubted tags of an image, most severe first; none of an image that was not held out."""
        if image_id not in self._found or image_id not in self._tags:
            return []
        doubts = []
        for label, probability in enumerate(self._found[image_id]):
            tagged = label + 1 in self._tags[image_id]
            if probability <= self._wrong[label] if tagged else probability >= self._missing[label]:
                doubts.append(TagDoubt(label, tagged, float(probability)))
        return sorted(doubts, key=lambda doubt: -doubt.severity)


def _means(found: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Mean over the chosen images of each class; 0 where none is."""
    return np.where(chosen, found, 0).sum(0) / np.maximum(chosen.sum(0), 1)
