"""The shared solve, on graphs small enough to solve densely."""

import numpy as np
import pytest
import scipy.sparse

from matlabel.mattes.sparse_laplacian import conjugate_gradients, direct, solve

SOLVERS = [direct, conjugate_gradients]


def graph(pixels, seed=0):
    """A connected graph with random weights, as a Laplacian in COO format with repeated entries."""
    random = np.random.default_rng(seed)
    tail = np.concatenate([np.arange(pixels - 1), random.integers(0, pixels, 3 * pixels)])
    head = np.concatenate([np.arange(1, pixels), random.integers(0, pixels, 3 * pixels)])
    weight = 0.1 + random.random(tail.size)
    return scipy.sparse.coo_array(
        (
            np.concatenate([-weight, -weight, weight, weight]),
            (np.concatenate([tail, head, tail, head]), np.concatenate([head, tail, tail, head])),
        ),
        shape=(pixels, pixels),
    )


def trimap_of(shape, values, seed=0):
    trimap = np.full(shape, 255, np.uint8)
    trimap.flat[np.random.default_rng(seed).permutation(trimap.size)[: 2 * len(values)]] = [*values, *values]
    return trimap


@pytest.mark.parametrize("linear_solver", SOLVERS)
def test_it_is_the_dense_solution_with_the_sure_pixels_fixed(linear_solver):
    laplacian, trimap = graph(42), trimap_of((6, 7), [0, 3, 9])
    unknown = trimap.ravel() == 255
    sure = np.stack([trimap.ravel() == value for value in (3, 0, 9)], axis=1).astype(float)
    dense = laplacian.toarray()
    oracle = sure.copy()
    oracle[unknown] = np.linalg.solve(dense[np.ix_(unknown, unknown)], -dense[unknown][:, ~unknown] @ sure[~unknown])
    alphas = solve(laplacian, trimap, [3, 0, 9], linear_solver)
    np.testing.assert_allclose(alphas.reshape(3, -1).T, oracle, atol=1e-6)
    np.testing.assert_allclose(alphas.sum(axis=0), 1, atol=1e-6)


@pytest.mark.parametrize("linear_solver", SOLVERS)
def test_pixels_that_no_sure_pixel_reaches_are_shared_evenly(linear_solver):
    joined, apart = graph(30), graph(12, seed=1)
    trimap = np.full((6, 7), 255, np.uint8)
    trimap[0, :3] = [0, 3, 9]  # all among the first 30 pixels
    alphas = solve(scipy.sparse.block_diag([joined, apart]), trimap, [0, 3, 9], linear_solver).reshape(3, -1)
    np.testing.assert_allclose(alphas[:, 30:], 1 / 3)
    alone = solve(joined, trimap.reshape(-1)[None, :30], [0, 3, 9], linear_solver).reshape(3, -1)
    np.testing.assert_allclose(alphas[:, :30], alone, atol=1e-6)


@pytest.mark.parametrize("linear_solver", SOLVERS)
def test_ties_of_weight_zero_reach_nothing(linear_solver):
    laplacian = scipy.sparse.csr_array(
        ([1.0, -1.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0], ([0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 2] * 3)), shape=(3, 3)
    )
    stored = laplacian.nnz
    alphas = solve(laplacian, np.array([[7, 255, 255]], np.uint8), [7], linear_solver)
    np.testing.assert_allclose(alphas[0], [[1, 1, 1]])
    both = solve(laplacian, np.array([[255, 255, 0]], np.uint8), [0], linear_solver)
    np.testing.assert_allclose(both[0], [[1, 1, 1]])
    assert laplacian.nnz == stored


def test_nothing_unknown_is_the_trimap_one_hot():
    alphas = solve(graph(4), np.array([[0, 1], [1, 0]], np.uint8), [0, 1], direct)
    np.testing.assert_array_equal(alphas, [[[1, 0], [0, 1]], [[0, 1], [1, 0]]])


def test_a_solution_that_has_not_converged_is_refused():
    with pytest.raises(RuntimeError, match=r"42 unknown pixels .* 1e-07 within 2 iterations"):
        conjugate_gradients(graph(42).tocsr() + scipy.sparse.eye_array(42), np.arange(42.0)[:, None], iterations=2)
