"""Closed-form matting (Levin, Lischinski & Weiss, PAMI 2008) of all labels of an image in one linear system."""

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from matlabel.artifacts.label_image import UNKNOWN
from matlabel.mattes import laplacian
from matlabel.mattes.data_terms import DataTerm
from matlabel.mattes.grid import Scale, matte
from matlabel.mattes.problem import DataTerms
from matlabel.mattes.short_sides import lengthen, lengthen_planes
from matlabel.mattes.sparse_laplacian import direct


def closed_form(
    image: np.ndarray,
    trimap: np.ndarray,
    labels: Iterable[int],
    *,
    scale: Scale = "auto",
    epsilon: float = 1e-7,
    radius: int = 1,
    terms: DataTerms | None = None,
) -> np.ndarray:
    """`grid.matte` by this method; epsilon and radius as in `solve`."""
    return matte(image, trimap, labels, partial(solve, epsilon=epsilon, radius=radius), scale, terms)


def solve(
    image: np.ndarray,
    trimap: np.ndarray,
    labels: Sequence[int],
    term: DataTerm | None = None,
    *,
    epsilon: float = 1e-7,
    radius: int = 1,
) -> np.ndarray:
    """Solve for the unknown pixels with the known ones as boundary conditions, at the size given.

    Args:
        image: float64[H, W, 3] in [0, 1].
        trimap: uint8[H, W] label trimap with at least one known pixel.
        labels: label values to solve for, one right-hand side each (0 is allowed).
        term: further terms of the energy, for the labels in this order; those of all labels of the trimap have to sum
            to one. None: colours alone decide.
        epsilon: regularises the colour covariance of a window; larger gives smoother alphas.
        radius: windows of the Laplacian are (2 * radius + 1) pixels wide.

    Returns:
        float64[len(labels), H, W]: not clipped, one-hot at the known pixels.
    """
    image, trimap, inner = lengthen(image, trimap, 2 * radius + 1)
    alphas = np.stack([trimap == label for label in labels]).astype(np.float64)
    unknown = trimap == UNKNOWN
    if not unknown.any():
        return alphas[inner]

    # Split the Laplacian into
    #
    #     [L_uu  L_uk]
    #     [L_ku  L_kk]
    #
    # with u the unknown and k the known pixels; L_uu A_u = −L_uk B_k, one column of A_u and B_k a label. With a data
    # term it is (L_uu + W) A_u = −L_uk B_k + W T.
    stencil = laplacian.matting_stencil(image, epsilon, radius, unknown)[:, unknown]
    system = laplacian.system_of(stencil, unknown, radius)
    right = -laplacian.apply(stencil, unknown, alphas, radius)
    if term is not None:
        weight, target = (lengthen_planes(planes, 2 * radius + 1) for planes in (term.weight, term.right))
        system.setdiag(system.diagonal() + weight[unknown])
        right += target[:, unknown]
    alphas[:, unknown] = direct(system, np.ascontiguousarray(right.T)).T
    return alphas[inner]
