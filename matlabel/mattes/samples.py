"""Colour samples: the known cells most like an unknown one, in colour and place.

The Laplacian knows neighbours only, and ends a region at the next edge, whichever that is. Here a cell is compared with
known cells some way off as well. Wang & Cohen brought the two together ("Optimized Color Sampling for Robust Matting",
CVPR 2007); nearest neighbours in colour and place are those of Chen, Li & Tang ("KNN Matting", CVPR 2012). The weights
are ours.
"""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.color import rgb2lab

from matlabel.artifacts.label_image import UNKNOWN
from matlabel.pixels.cells import area_mean

# Chosen on 185 training photographs (voc6, the tuning half) with their masks, see docs/notebook.md, where the labels
# hardly depend on them.
UNLIKE = 4.0  # distance of two colours, in CIE Lab, at which one stands for the other by e^(−1/2)
FAR = 0.1  # the same of two places, as a share of the diagonal
NEIGHBOURS = 10


def sampled(image: np.ndarray, coarse: np.ndarray, scale: int, values: list[int]) -> np.ndarray:
    """The share of each label among the samples of an unknown cell i: p_i^k = Σ_j a_ij [j is k] / Σ_j a_ij.

    a_ij = exp(−|c_i − c_j|² / 2 UNLIKE² − |x_i − x_j|² / 2 FAR²) for known cells j, with colours c and places x; the
    `NEIGHBOURS` largest count; of equally large ones those that the search finds first.

    Args:
        image: float[H, W, 3] in [0, 1], or uint8[H, W, 3].
        coarse: uint8[h, w], the trimap of the cells; 255 is unknown.
        scale: side of a cell in pixels.
        values: the values of the known cells.

    Returns:
        float64[len(values), h, w], summing to one at unknown cells, and 0 at known ones. All 0 if no cell is known.
    """
    shares = np.zeros((len(values), *coarse.shape))
    asked = coarse == UNKNOWN
    if asked.all() or not asked.any():
        return shares
    # The grain of a surface is no difference of colour.
    colour = ndimage.gaussian_filter(rgb2lab(area_mean(image, scale)), (0.5, 0.5, 0)) / UNLIKE
    place = np.moveaxis(np.indices(coarse.shape), 0, -1) / (FAR * np.hypot(*coarse.shape))
    points = np.concatenate([colour, place], axis=-1)
    known = coarse[~asked]
    count = min(NEIGHBOURS, len(known))
    distance, nearest = cKDTree(points[~asked]).query(points[asked], k=np.arange(1, count + 1))
    # From the nearest one on, so that something is left of cells that resemble none.
    alike = np.exp((distance[:, :1] ** 2 - distance**2) / 2)
    for plane, value in zip(shares, values, strict=True):
        plane[asked] = (alike * (known[nearest] == value)).sum(axis=1) / alike.sum(axis=1)
    return shares
