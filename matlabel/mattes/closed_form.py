"""Closed-form matting (Levin, Lischinski & Weiss, PAMI 2008) of all labels of an image in one linear system."""

import numpy as np
import scipy.sparse

from matlabel.mattes import laplacian
from matlabel.mattes.grid import Scale, matte
from matlabel.mattes.problem import UNKNOWN
from matlabel.mattes.short_sides import lengthen
from matlabel.mattes.sparse_laplacian import direct


def closed_form(image, trimap, labels, *, scale: Scale = "auto", epsilon=1e-7, radius=1):
    """`grid.matte` by this method; epsilon and radius as in `solve`."""
    return matte(image, trimap, labels, lambda *problem: solve(*problem, epsilon, radius), scale)


def solve(image, trimap, labels, epsilon=1e-7, radius=1, pull=None):
    """Solve for the unknown pixels with the sure ones as hard constraints, at the size given.

    Args:
        image: float64[H, W, 3] in [0, 1].
        trimap: uint8[H, W] label trimap with at least one sure pixel.
        labels: label values to solve for, one right-hand side each (0 is allowed).
        epsilon: regularises the colour covariance of a window; larger gives smoother alphas.
        radius: windows of the Laplacian are (2 * radius + 1) pixels wide.
        pull: `prior.Pull` on the alphas of the labels; None for none.

    Returns:
        float64[len(labels), H, W]: not clipped, one-hot at the sure pixels.
    """
    image, trimap, inner = lengthen(image, trimap, 2 * radius + 1)
    pull = pull and pull.lengthened(inner, trimap.shape)
    alphas = np.stack([trimap == label for label in labels]).astype(np.float64)
    unknown = trimap == UNKNOWN
    if not unknown.any():
        return alphas[inner]

    # Split the Laplacian into
    #
    #     [L_uu  L_uk]
    #     [L_ku  L_kk]
    #
    # with u the unknown and k the sure pixels; L_uu A_u = −L_uk B_k, one column of A_u and B_k a label. A pull adds
    # its weights W to the diagonal: (L_uu + W) A_u = −L_uk B_k + W T.
    stencil = laplacian.matting_stencil(image, epsilon, radius, unknown)[:, unknown]
    system = laplacian.system_of(stencil, unknown, radius)
    right = -laplacian.apply(stencil, unknown, alphas, radius)
    if pull is not None:
        weight = pull.weight[unknown]
        system = system + scipy.sparse.diags_array(weight, format="csc")
        right += weight * pull.target[:, unknown]
    alphas[:, unknown] = direct(system, np.ascontiguousarray(right.T)).T
    return alphas[inner]
