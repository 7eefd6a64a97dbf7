"""Label trimaps from activations: known classes, known background, unknown."""

import math
from collections.abc import Collection

import numpy as np

from matlabel.artifacts.label_image import UNKNOWN
from matlabel.pixels.contours import boundary_width, near_other
from matlabel.settings.trimaps import TrimapsSettings


def label_trimap(
    probabilities: np.ndarray, classes: np.ndarray, settings: TrimapsSettings, strokes: np.ndarray | None = None
) -> tuple[np.ndarray, list[int]]:
    """Known is the argmax of the activations away from its contours, however weak; unknown is a band around them.

    What is unsure far from a contour is unsure of what it is, not of where it ends, and colours do not know what a
    region is. Near a contour no activation is believed, however strong: there colours know better. A label that nowhere
    wins by far has its best pixels taken for sure, so that every tag has a place.

    Args:
        probabilities: float32[C + 1, H, W], background first, summing to one, at the size of the image.
        classes: uint8[C] label values of the planes after the background, ascending.
        settings: contour, levels, least regions.
        strokes: int16[H, W], what a person has drawn: -1 nothing, 0 background, 1..K class, 255 unknown.

    Returns:
        uint8[H, W] with 0 background, 1..K sure class, 255 unknown, and the label values whose sure region had to be
        enforced, ascending. Every present class has a sure region, and so has the background, but for what strokes
        cover.
    """
    values = np.concatenate([[0], classes]).astype(np.uint8)
    labels = values[probabilities.argmax(axis=0)]
    reach = boundary_width(labels.shape, settings.contour)
    believed = np.where(near_other(labels, reach, frame=False), UNKNOWN, labels)
    drawn = [] if strokes is None else np.unique(strokes[strokes >= 0]).tolist()
    enforced = np.full(labels.shape, UNKNOWN, np.uint8)
    if len(values) > 1:
        enforced = enforce(believed, probabilities, values, settings, spared=drawn)
    given = np.where(enforced == UNKNOWN, -1, enforced.astype(np.int16))
    if strokes is not None:
        given = np.where(strokes >= 0, strokes, given)
    # What is enforced or drawn has contours of its own.
    labels = np.where((given >= 0) & (given != UNKNOWN), given, labels).astype(np.uint8)
    trimap = np.where(near_other(labels, reach, frame=False), UNKNOWN, labels)
    for value in values:
        if not (trimap == value).any():
            # Hemmed in by those: what was believed of it stands.
            trimap[believed == value] = value
    trimap = np.where(given >= 0, given, trimap).astype(np.uint8)
    return trimap, [int(value) for value in values if (enforced == value).any()]


def enforce(
    believed: np.ndarray,
    probabilities: np.ndarray,
    values: np.ndarray,
    settings: TrimapsSettings,
    spared: Collection[int] = (),
) -> np.ndarray:
    """Enforced known regions, of labels that nowhere win clearly: the pixels where their margin is largest.

    A class that is tagged is somewhere, so its best pixels are sure even where another label was; only labels that
    have few pixels themselves are spared.

    Args:
        believed: uint8[H, W], the trimap so far.
        probabilities: float32[C + 1, H, W].
        values: uint8[C + 1] label values of the planes.
        settings: foreground, background, margin, least_object, least_background.
        spared: labels that need no such region: a person has said where they are.

    Returns:
        uint8[H, W]: the label values in such regions, 255 elsewhere.
    """
    lead = _lead(probabilities)
    found, regions = believed.copy(), np.full(believed.shape, UNKNOWN, np.uint8)
    # A label with more pixels than this can give as many away and still have some.
    most = max(1, believed.size // (2 * len(values)))
    for plane, value in enumerate(values):
        if value in spared:
            continue
        level, share = (
            (settings.foreground, settings.least_object) if plane else (settings.background, settings.least_background)
        )
        least = min(most, max(1, math.ceil(share * believed.size)))
        # Without a margin the background needs only its level: what competes with it is the sum of all classes.
        clear = (probabilities[plane] >= level) & (lead[plane] >= (settings.margin if plane else 0))
        if np.count_nonzero(clear) >= least and (found == value).any():
            continue
        scarce = [other for other in values if other != value and np.count_nonzero(found == other) <= most]
        rank = lead[plane] + 8.0 * (found == value) - 16.0 * np.isin(found, scarce)
        best = np.argsort(-rank, axis=None, kind="stable")[:least]
        found.reshape(-1)[best] = regions.reshape(-1)[best] = value
    return regions


def _lead(probabilities: np.ndarray) -> np.ndarray:
    """float32[C + 1, H, W]: margin of each label over the best of the others."""
    top = np.sort(probabilities, axis=0)[-2:]
    others = np.where(probabilities == top[1], top[0], top[1])
    return probabilities - others
