"""Recovering from the tags which mask value is which class."""

from collections.abc import Sequence

import numpy as np

from matlabel.artifacts.label_image import VOID
from matlabel.artifacts.naming import some

# Images in which a class is tagged and a value occurs, over those in which either is: 1 where they are the same images.
_AGREES = 0.8
# By how much another value must agree better than the one that classes.txt says.
_BETTER = 0.3
_FEWEST_IMAGES = 4
# Images that are tagged with a class, for its value to be known by them.
_FEWEST_OF_CLASS = 3
_SHOWN = 20


def order_by_tags(masks: Sequence[tuple[tuple[int, ...], tuple[int, ...]]], classes: list[str]) -> str | None:
    """The order of classes that fits masks and tags, where it is not that of classes.txt.

    For every class the images that are tagged with it are held against the images in which a value occurs (Jaccard
    index), and values are given to classes so that the sum is greatest.

    Args:
        masks: of every image, label values 1..K of its tags and the values of its mask.
        classes: the class names.

    Returns:
        a sentence with the right order; None where classes.txt has it, or the tags do not tell.
    """
    if len(masks) < _FEWEST_IMAGES:
        return None
    tagged = np.array([[value in tags for value in range(1, len(classes) + 1)] for tags, _ in masks])
    told = [column for column in range(len(classes)) if 0 < tagged[:, column].sum() < len(masks)]
    values = sorted({value for _, found in masks for value in found} - {VOID})
    if len(told) < 2 or not values:
        return None
    shown = np.array([[value in found for value in values] for _, found in masks])
    # Lazy: the driver plans without scipy, which takes a while to import, where there are no masks.
    from scipy.optimize import linear_sum_assignment

    both = tagged[:, told].T.astype(int) @ shown
    either = tagged[:, told].sum(0)[:, None] + shown.sum(0)[None] - both
    agreement = both / np.maximum(either, 1)
    rows, columns = linear_sum_assignment(-agreement)
    found = {}
    for row, column in zip(rows, columns, strict=True):
        value = told[row] + 1
        if tagged[:, told[row]].sum() < _FEWEST_OF_CLASS:
            continue
        as_named = agreement[row, values.index(value)] if value in values else 0.0
        if agreement[row, column] >= max(_AGREES, as_named + _BETTER):
            found[values[column]] = told[row]
    if len(found) < 2:
        return None
    order = some([f"{value} is {classes[index]}" for value, index in sorted(found.items())], _SHOWN)
    from_zero = all(value == index for value, index in found.items())
    hint = " (they count from 0: add 1, and give background a value of its own)" if from_zero else ""
    return f"by the tags, {order}{hint}; write classes.txt in that order, or the values in the order of classes.txt"
