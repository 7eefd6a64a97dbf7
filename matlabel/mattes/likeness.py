"""How alike the cells of an image are to its sure ones, in the embedding."""

import numpy as np
from scipy.spatial import cKDTree


def likeness(embedding, sure, asked, neighbours=10, temperature=0.1):
    """L_i^k = mean over N(i) of a_ij [j is surely k], a_ij = exp(−|z_i − z_j|² / 2τ).

    N(i) are the `neighbours` embeddings of sure cells that are nearest to that of cell i. For unit vectors
    a_ij = exp((cos − 1) / τ), the likeness that the embedding was trained with. It is not normalised: a cell that
    resembles nothing sure has almost none, and is left to its colours.

    Args:
        embedding: uint8[e, h, w], 0 for −1 and 255 for 1.
        sure: bool[V, h, w], the cells that hold sure pixels of each value.
        asked: bool[h, w], the cells whose likeness is wanted.
        neighbours: of all embeddings that sure cells have; equal ones count once, and as much for each value as there
            are cells of it.
        temperature: τ.

    Returns:
        float64[V, h, w], 0 where not asked; at most one in sum over the values.
    """
    result = np.zeros(sure.shape)
    if not asked.any() or not sure.any():
        return result
    pixels = np.moveaxis(embedding, 0, -1)
    value, y, x = np.nonzero(sure)
    # Sorted and without doubles, neighbours depend on what there is and not on where in the image it lies.
    known, which = np.unique(pixels[y, x], axis=0, return_inverse=True)
    shares = np.zeros((len(known), len(sure)))
    np.add.at(shares, (which.ravel(), value), 1)
    shares /= shares.sum(axis=1, keepdims=True)
    count = min(neighbours, len(known))
    distance, nearest = cKDTree(known).query(pixels[asked], k=np.arange(1, count + 1))
    # A byte is 2 / 255 of the embedding's unit.
    alike = np.exp(-((distance * (2 / 255)) ** 2) / (2 * temperature))
    result[:, asked] = np.einsum("nj,njk->kn", alike, shares[nearest]) / count
    return result
