"""Stacks of 3 x 3 systems against numpy."""

import numpy as np

from matlabel.mattes import cholesky3


def test_solutions_are_those_of_numpy():
    random = np.random.default_rng(0)
    root = random.random((20, 3, 3))
    matrices = root @ root.transpose(0, 2, 1) + 0.1 * np.eye(3)
    right = random.random((20, 3))
    upper = [matrices[:, p, q] for p, q in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]]
    triangle = cholesky3.factor(*upper)
    solution = np.stack(cholesky3.solve(triangle, right.T), axis=1)
    np.testing.assert_allclose(solution, np.linalg.solve(matrices, right[:, :, None])[:, :, 0], rtol=1e-9)
    half = np.stack(cholesky3.forward(triangle, right.T), axis=1)
    np.testing.assert_allclose(half[:, :, None], np.linalg.solve(np.linalg.cholesky(matrices), right[:, :, None]))
