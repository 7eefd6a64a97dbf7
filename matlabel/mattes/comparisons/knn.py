"""KNN matting (Chen, Li & Tang, "KNN Matting", PAMI 2013) of all labels of an image in one linear system."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse

from matlabel.mattes import sparse_laplacian
from matlabel.mattes.comparisons.extras import require


def solve(
    image: np.ndarray,
    trimap: np.ndarray,
    values: Sequence[int],
    neighbours: Sequence[tuple[int, float]] = ((20, 2.0), (10, 0.1)),
) -> np.ndarray:
    """Solve for the unknown pixels with the known ones as boundary conditions: a `problem.Solver`.

    A pixel is tied to those nearest to it in colour and place, wherever they lie. As in pymatting, colours are RGB
    (the paper takes HSV) and every tie weighs the same.

    Args:
        image: float64[H, W, 3] in [0, 1].
        trimap: uint8[H, W] label trimap with at least one sure pixel.
        values: values to solve for, one right-hand side each.
        neighbours: searches as (how many neighbours, weight of their place in the image against their colour); the
            ties of all searches are added.

    Returns:
        float64[len(values), H, W] in [0, 1] to 1e-5, one-hot at the sure pixels. Unknown pixels without a chain of
        ties to any sure one (a patch of a colour of its own) are shared evenly among the sure values.

    Raises:
        UserError: pymatting is not installed.
        RuntimeError: the linear solver did not converge.
    """
    return sparse_laplacian.solve(
        knn_laplacian(image, neighbours), trimap, values, sparse_laplacian.conjugate_gradients
    )


def knn_laplacian(image: np.ndarray, neighbours: Sequence[tuple[int, float]]) -> scipy.sparse.sparray:
    """The graph Laplacian D − S of the affinities S, up to a common factor: sparse symmetric float64[H * W, H * W]."""
    pymatting = require("pymatting", method="knn", extra="pymatting")
    pixels = image.shape[0] * image.shape[1]
    normalised = pymatting.knn_laplacian(
        image,
        n_neighbors=[min(count, pixels) for count, _ in neighbours],
        distance_weights=[weight for _, weight in neighbours],
    )
    # pymatting returns 1 − D⁻¹ S, which is not symmetric. A pixel is its own nearest neighbour in every search, so
    # S_ii is the same number everywhere, and D_ii = S_ii / (D⁻¹ S)_ii.
    degree = 1 / (1 - normalised.diagonal())
    return scipy.sparse.diags_array(degree) @ normalised
