"""Which images to review, from their tags, trimaps and labels alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matlabel.evaluation.held_out_tags import TagDoubt

# A class that is tagged and nowhere in the label.
VANISHED = 0.9
# A class whose sure region is only there because there must be one.
ENFORCED = 0.5
# An image without any background, or with next to none.
ALL_OBJECT = 0.4
LEAST_BACKGROUND = 0.02


@dataclass(frozen=True)
class Reason:
    """A reason to review an image, in words, and its severity, 0..1."""

    words: str
    severity: float


def reasons(
    labels: np.ndarray, tags: Sequence[int], enforced: Sequence[int], doubts: Sequence[TagDoubt], names: Sequence[str]
) -> list[Reason]:
    """Reasons to review an image, most severe first; empty where there is none.

    Args:
        labels: uint8[H, W] pseudo-label.
        tags: label values 1..K.
        enforced: label values whose sure region had to be enforced.
        doubts: of its tags.
        names: of the labels 0..K.
    """
    counts = np.bincount(labels.ravel(), minlength=256)
    found = [
        Reason(
            f"{'perhaps no' if doubt.tagged else 'perhaps also'} {names[doubt.label + 1]} ({doubt.probability:.2f})",
            doubt.severity,
        )
        for doubt in doubts
    ]
    found += [Reason(f"no {names[tag]} in the label", VANISHED) for tag in tags if not counts[tag]]
    found += [Reason(f"nothing sure of {names[value]}", ENFORCED) for value in enforced]
    if tags and counts[0] < LEAST_BACKGROUND * labels.size:
        found.append(Reason("no background in the label", ALL_OBJECT))
    return sorted(found, key=lambda reason: -reason.severity)
