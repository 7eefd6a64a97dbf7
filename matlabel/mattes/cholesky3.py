"""Batched Cholesky of symmetric 3 x 3 matrices, stored as planes: one numpy operation a matrix entry."""

from collections.abc import Sequence

import numpy as np

Triangle = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def factor(
    m00: np.ndarray, m01: np.ndarray, m02: np.ndarray, m11: np.ndarray, m12: np.ndarray, m22: np.ndarray
) -> Triangle:
    """Lower factor of M = R Rᵀ for a stack of symmetric positive definite matrices.

    The colour covariance of a grey window has two eigenvalues as small as epsilon: its adjugate inverse loses
    nearly all digits, a backward-stable factorisation only as many as the condition number costs.

    Args:
        m00, m01, m02, m11, m12, m22: float64 arrays of one shape, the upper triangle of M.

    Returns:
        (r00, r10, r20, r11, r21, r22): float64 arrays of that shape, the lower triangle of R.
    """
    r00 = np.sqrt(m00)
    r10 = m01 / r00
    r20 = m02 / r00
    r11 = np.sqrt(m11 - r10 * r10)
    r21 = (m12 - r20 * r10) / r11
    r22 = np.sqrt(m22 - r20 * r20 - r21 * r21)
    return r00, r10, r20, r11, r21, r22


def forward(triangle: Triangle, right: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Solve R x = right.

    Args:
        triangle: what `factor` returned, arrays of shape S.
        right: three float64 arrays that broadcast with S, the rows of the right-hand side.

    Returns:
        list of three float64 arrays, the rows of x.
    """
    r00, r10, r20, r11, r21, r22 = triangle
    x0 = right[0] / r00
    x1 = (right[1] - r10 * x0) / r11
    x2 = (right[2] - r20 * x0 - r21 * x1) / r22
    return [x0, x1, x2]


def solve(triangle: Triangle, right: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Solve R Rᵀ x = right; arguments and result as in `forward`."""
    r00, r10, r20, r11, r21, r22 = triangle
    y0, y1, y2 = forward(triangle, right)
    # Rᵀ x = y
    x2 = y2 / r22
    x1 = (y1 - r21 * x2) / r11
    x0 = (y0 - r10 * x1 - r20 * x2) / r00
    return [x0, x1, x2]
