"""Checking a classifier by tags alone: how well it predicts them, and how far its maps depend on them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from matlabel.networks.classifier import relative_maps
from matlabel.networks.confidence import LEAST, LEVEL, confident_cells

# Wrong tags are those of other images: so many times all tags are moved on by some images.
SHIFTS = 4
SHUFFLES = 100


@dataclass(frozen=True)
class Look:
    """Measures of a classifier at one point of the training, by images and their tags.

    Attributes:
        loss: binary cross-entropy of the tags, as a share of what their frequencies alone would give; 1 is knowing
            nothing of the pictures, 0 is being sure and right.
        mean_ap: mean average precision of the tags, 0..1 (see `mean_average_precision`).
        without_region: share of the tags whose class leads nowhere (no confident region), 0..1.
        without_region_shuffled: the same where images are read with the tags of others.
        cover: share of an image that its tagged classes cover (M at least .4), 0..1.
        cover_shuffled: likewise, with the tags of others.
    """

    loss: float
    mean_ap: float
    without_region: float
    without_region_shuffled: float
    cover: float
    cover_shuffled: float


def look_at(maps: Tensor, tags: Tensor, frequency: np.ndarray) -> Look:
    """Judge the class maps of some images.

    Args:
        maps: S, float32[N, K, h, w] on the CPU.
        tags: float32[N, K].
        frequency: float[K], share of the training images that have each class.
    """
    logits = maps.mean((2, 3)).numpy()
    regions, cover = _read_with(maps, tags)
    shifts = [max(1, len(tags) * shift // (SHIFTS + 1)) for shift in range(1, SHIFTS + 1)]
    wrong = [_read_with(maps, tags.roll(shift, 0)) for shift in shifts]
    return Look(
        relative_loss(logits, tags.numpy(), frequency),
        mean_average_precision(logits, tags.numpy()),
        1 - regions,
        1 - float(np.mean([regions for regions, _ in wrong])),
        cover,
        float(np.mean([cover for _, cover in wrong])),
    )


def relative_loss(logits: np.ndarray, tags: np.ndarray, frequency: np.ndarray) -> float:
    """Binary cross-entropy of the tags over that of their frequencies, both float[N, K]; 1 for no image."""
    share = np.clip(frequency, 1e-3, 1 - 1e-3)
    alone = -(tags * np.log(share) + (1 - tags) * np.log(1 - share)).mean() if len(tags) else 1.0
    # log(1 + e^x) without overflow.
    own = (np.logaddexp(0, logits) - tags * logits).mean() if len(tags) else 1.0
    return float(own / max(alone, 1e-6))


def mean_average_precision(scores: np.ndarray, tags: np.ndarray) -> float:
    """Mean over the classes of the average precision of ranking images by their score; 0 for no class.

    Classes that no image has, or all have, do not count: any ranking is as good there.

    Args:
        scores: float[N, K].
        tags: [N, K], 1 where the class is tagged.
    """
    found = [average_precision(scores[:, label], tags[:, label]) for label in np.flatnonzero(tells(tags))]
    return float(np.mean(found)) if found else 0.0


def tells(tags: np.ndarray) -> np.ndarray:
    """bool[K]: the classes that some images have and others lack, from tags [N, K]."""
    tagged = np.asarray(tags) > 0
    return tagged.any(0) & ~tagged.all(0)


def average_precision(scores: np.ndarray, right: np.ndarray) -> float:
    """Area under precision over recall, by steps (as sklearn's `average_precision_score`): float[N], bool[N] -> 0..1.

    Images of equal score are one step, so that no order of the images matters.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, right = scores[order], np.asarray(right, bool)[order]
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    hits = np.cumsum(right)[last]
    return float((np.diff(hits, prepend=0) * hits / (last + 1)).sum() / hits[-1])


def shuffled_average_precision(scores: np.ndarray, tags: np.ndarray) -> tuple[float, float]:
    """Chance level of the mean average precision: its mean and deviation under tags shuffled between images."""
    random = np.random.default_rng(0)
    found = [mean_average_precision(scores, tags[random.permutation(len(tags))]) for _ in range(SHUFFLES)]
    return float(np.mean(found)), float(np.std(found))


def _read_with(maps: Tensor, tags: Tensor) -> tuple[float, float]:
    """(share of the tags with a confident region, share of the tagged images that is covered)."""
    relative = relative_maps(maps, tags)
    image, label = tags.bool().nonzero(as_tuple=True)
    if not len(image):
        return 1.0, 0.0
    regions = (confident_cells(relative.flatten(2), image, label).sum(1) >= LEAST).float().mean()
    cover = (relative[image.unique()].amax(1) >= LEVEL).float().mean()
    return float(regions), float(cover)


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Logits -> the classifier's probability of each class, float[N, K] in 0..1."""
    return torch.sigmoid(torch.from_numpy(logits)).numpy()
