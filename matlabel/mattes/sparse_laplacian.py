"""Alphas of all values from any sparse Laplacian, the known pixels as boundary conditions.

Which linear solver suits depends on the graph. Measured on one CPU thread with the trimaps of alphamatting.com, two
values, time for both, without building the Laplacian:

    graph                        unknown pixels   `direct`   `conjugate_gradients`
    LBDM (3 x 3 windows)                 10,310     0.04 s   0.3 s, residual 1e-8
    LBDM                                143,935      1.3 s   117 s, 18,921 iterations a value, off by 3e-3
    KNN (30 nearest colours)             10,310      0.4 s   0.04 s, residual 1e-8
    KNN                                  43,563       22 s   0.4 s, off by 1e-7

Windows give a graph that is nearly planar, which factors with little fill-in, and a spread of eigenvalues that
defeats iteration; nearest colours lie all over the image, which fills the factors in but mixes
within a few hundred iterations.
"""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg

from matlabel.artifacts.label_image import UNKNOWN

LinearSolver = Callable[[scipy.sparse.csr_array, np.ndarray], np.ndarray]
"""(symmetric positive definite float64[n, n], right-hand sides float64[n, c]) -> solutions float64[n, c]."""


def solve(
    laplacian: scipy.sparse.sparray, trimap: np.ndarray, values: Sequence[int], linear_solver: LinearSolver
) -> np.ndarray:
    """Solve for the unknown pixels of a trimap.

    Args:
        laplacian: sparse float64[H * W, H * W], symmetric, positive semi-definite.
        trimap: uint8[H, W] label trimap with at least one sure pixel.
        values: values to solve for, one right-hand side each.
        linear_solver: `direct` or `conjugate_gradients`.

    Returns:
        float64[len(values), H, W]: not clipped, one-hot at the sure pixels. Unknown pixels that no path of the graph
        joins to a sure pixel could have any alpha: they are shared evenly among all sure values of the trimap.
    """
    alphas = np.stack([trimap == value for value in values]).astype(np.float64)
    unknown, sure = np.flatnonzero(trimap == UNKNOWN), np.flatnonzero(trimap != UNKNOWN)
    if unknown.size == 0:
        return alphas
    flat = alphas.reshape(len(values), -1)

    # L_uu A_u = −L_uk B_k with u the unknown and k the sure pixels, one column of A_u and B_k a value.
    rows = scipy.sparse.csr_array(laplacian)[unknown]
    rows.eliminate_zeros()
    system, coupling = rows[:, unknown], rows[:, sure]
    right = -(coupling @ flat[:, sure].T)

    # L_uu is singular on a component of the unknown pixels that no sure pixel touches.
    count, component = scipy.sparse.csgraph.connected_components(system, directed=False)
    touched = np.zeros(count, dtype=bool)
    touched[component[np.diff(coupling.indptr) > 0]] = True
    reached = np.flatnonzero(touched[component])
    solution = np.full(right.shape, 1 / np.unique(trimap[trimap != UNKNOWN]).size)
    if reached.size:
        solution[reached] = linear_solver(system[reached][:, reached], right[reached])
    flat[:, unknown] = solution.T
    return alphas


def direct(system: scipy.sparse.csr_array, right: np.ndarray) -> np.ndarray:
    """Direct solution by SuperLU, for nearly planar graphs. A `LinearSolver`."""
    # Symmetric positive definite: no pivoting, and an ordering for symmetric patterns fills in a third of what
    # SuperLU's default does. Planar graphs have tiny supernodes, so wide panels only cost.
    factors = scipy.sparse.linalg.splu(
        scipy.sparse.csc_array(system),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        relax=1,
        panel_size=1,
        options={"SymmetricMode": True},
    )
    return factors.solve(right)


def conjugate_gradients(
    system: scipy.sparse.csr_array, right: np.ndarray, tolerance: float = 1e-7, iterations: int = 10_000
) -> np.ndarray:
    """Jacobi-preconditioned conjugate gradients, for graphs with long-range edges. A `LinearSolver`.

    Args:
        system, right: as in `LinearSolver`.
        tolerance: stop where the residual is this part of the right-hand side. At 1e-7 the alphas of KNN matting
            are exact to about 2e-6.
        iterations: the most iterations a right-hand side.

    Raises:
        RuntimeError: the tolerance was not reached; nothing half solved is ever returned.
    """
    solution = np.empty_like(right)
    inverse_diagonal = scipy.sparse.diags_array(1 / system.diagonal())
    for column in range(right.shape[1]):
        solution[:, column], left = scipy.sparse.linalg.cg(
            system, right[:, column], rtol=tolerance, atol=0.0, maxiter=iterations, M=inverse_diagonal
        )
        if left:
            raise RuntimeError(
                f"conjugate gradients on {len(right)} unknown pixels did not reach a relative residual of "
                f"{tolerance:g} within {iterations} iterations"
            )
    return solution
