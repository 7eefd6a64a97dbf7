"""Where a person has drawn into a trimap, and what that says of the activations."""

import numpy as np
from scipy import ndimage

from matlabel.mattes.problem import UNKNOWN


def contradicted(winner, trimap, drawn):
    """Every connected region in which one label wins and somebody drew another: there the activations are wrong, and
    two strokes must not have to fight what they are to mend.

    Args:
        winner: uint8[h, w], the label of the strongest activation of each cell.
        trimap: uint8[h, w], 255 unknown.
        drawn: bool[h, w], cells with a stroke.

    Returns:
        bool[h, w].
    """
    wrong = drawn & (trimap != UNKNOWN) & (trimap != winner)
    found = np.zeros(winner.shape, dtype=bool)
    for value in np.unique(winner[wrong]):
        regions, _ = ndimage.label(winner == value)
        found |= np.isin(regions, np.unique(regions[wrong & (winner == value)]))
    return found
