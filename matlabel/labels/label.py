"""From alphas to a pseudo-label and its margin."""

import numpy as np

from matlabel.artifacts.label_image import VOID
from matlabel.pixels.small_regions import drop_small_regions
from matlabel.settings.labels import LabelsSettings


def pseudo_label(alphas: np.ndarray, classes: np.ndarray, settings: LabelsSettings) -> tuple[np.ndarray, np.ndarray]:
    """Argmax of the alphas, void where its margin is small.

    Args:
        alphas: uint8[C + 1, H, W], background first; of equals the first wins.
        classes: uint8[C] label values.
        settings: margin, least_region.

    Returns:
        labels uint8[H, W] (0..K, 255 void), margin uint8[H, W] (winner's alpha minus the runner-up's).
    """
    values = np.concatenate([[0], classes]).astype(np.uint8)
    winner = alphas.argmax(0)
    labels = values[winner]
    margin = np.full(labels.shape, 255, np.uint8)
    if len(values) > 1:
        top = np.sort(alphas, axis=0)[-2:]
        margin = top[1] - top[0]
    labels = np.where(margin < settings.margin * 255, VOID, labels).astype(np.uint8)
    drop_small_regions(labels, settings.least_region)
    return labels, margin
