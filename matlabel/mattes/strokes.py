"""Where a person has drawn into a trimap, and what that says of the activations."""

import numpy as np
from scipy import ndimage


def contradicted(winner, wrong):
    """Every connected region in which one label wins and somebody drew another: there the activations are wrong, and
    two strokes must not have to fight what they are to mend.

    Args:
        winner: uint8[h, w], the label of the strongest activation of each cell.
        wrong: bool[h, w], cells with a stroke of another label.

    Returns:
        bool[h, w].
    """
    found = np.zeros(winner.shape, dtype=bool)
    for value in np.unique(winner[wrong]):
        regions, _ = ndimage.label(winner == value)
        found |= np.isin(regions, np.unique(regions[wrong & (winner == value)]))
    return found
