"""Learning-based matting (Zheng & Kambhamettu, ICCV 2009) of all labels of an image in one linear system."""

from collections.abc import Sequence

import numpy as np

from matlabel.artifacts.label_image import UNKNOWN
from matlabel.mattes import sparse_laplacian
from matlabel.mattes.comparisons.extras import require
from matlabel.mattes.shares import shares
from matlabel.mattes.short_sides import lengthen


def solve(
    image: np.ndarray, trimap: np.ndarray, values: Sequence[int], epsilon: float = 1e-7, radius: int = 1
) -> np.ndarray:
    """Solve for the unknown pixels with the known ones as boundary conditions: a `problem.Solver`.

    Args:
        image: float64[H, W, 3] in [0, 1].
        trimap: uint8[H, W] label trimap with at least one sure pixel.
        values: values to return, sure values of the trimap.
        epsilon: ridge of the regression of alphas on the colours of a window; larger gives smoother alphas.
        radius: windows are (2 * radius + 1) pixels wide.

    Returns:
        float64[len(values), H, W] in [0, 1], one-hot at the sure pixels; over all sure values of the trimap they
        would sum to one.

    Raises:
        UserError: pymatting is not installed.
    """
    pymatting = require("pymatting", method="lbdm", extra="pymatting")
    image, trimap, inner = lengthen(image, trimap, 2 * radius + 1)
    laplacian = pymatting.lbdm_laplacian(np.ascontiguousarray(image, dtype=np.float64), epsilon, radius)
    # The ridge shrinks the intercept of the regression too, so L 1 is not quite 0 and the alphas do not quite sum
    # to one; where colours leave them open (a patch of one colour on another) they are off by a factor. So all sure
    # values are solved for, and get their share of the sum.
    sure = np.unique(trimap[trimap != UNKNOWN]).tolist()
    alphas = shares(sparse_laplacian.solve(laplacian, trimap, sure, sparse_laplacian.direct))
    return alphas[[sure.index(value) for value in values]][inner]
