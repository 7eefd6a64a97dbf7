"""The permutohedral lattice against the paper's own construction, the true Gaussian and the identities of a filter."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.mattes.comparisons.permutohedral import Lattice, number


def scatter(count, dimensions, spread=3.0, seed=0):
    return spread * np.random.default_rng(seed).random((count, dimensions))


def dense(lattice):
    return lattice.filter(np.eye(lattice.splat.shape[1]))


def gaussian(features):
    return np.exp(-0.5 * ((features[:, None] - features[None]) ** 2).sum(axis=2))


def normalised(matrix, values):
    return matrix @ values / matrix.sum(axis=1, keepdims=True)


def paper(features):
    """The filter's matrix in the words of the paper: in the hyperplane, point by point, no vertex missing."""
    count, dimensions = features.shape
    features = features[:, np.argsort(np.ptp(features, axis=0))]
    root = np.sqrt(2 / 3) * np.linalg.cholesky(np.eye(dimensions) + 1)
    vertices, weights = [], []
    for feature in features:
        # The lattice consists of the points (d + 1) c − Σc of the hyperplane Σy = 0.
        place = np.append(root @ feature, 0)
        place = (dimensions + 1) * place - place.sum()
        nearest = np.rint(place / (dimensions + 1)).astype(int)
        rank = np.argsort(np.argsort(-(place - (dimensions + 1) * nearest), kind="stable"))
        excess = nearest.sum()
        nearest += (rank < -excess).astype(int) - (rank >= dimensions + 1 - excess)
        rest = place / (dimensions + 1) - nearest
        rank = np.argsort(np.argsort(-rest, kind="stable"))
        falling = np.sort(rest)[::-1]
        for k in range(dimensions + 1):
            canonical = np.where(rank <= dimensions - k, k, k - (dimensions + 1))
            vertices.append(tuple((dimensions + 1) * nearest + canonical))
            above = falling[dimensions - k]
            below = falling[dimensions + 1 - k] if k > 0 else falling[0] - 1
            weights.append(above - below)
    splat = defaultdict(lambda: np.zeros(count))
    for position, (vertex, weight) in enumerate(zip(vertices, weights, strict=True)):
        splat[vertex][position // (dimensions + 1)] += weight
    lattice = splat
    for axis in range(dimensions + 1):
        step = -np.ones(dimensions + 1, dtype=int)
        step[axis] = dimensions
        blurred = defaultdict(lambda: np.zeros(count))
        for vertex, value in lattice.items():
            for sign, share in ((-1, 0.25), (0, 0.5), (1, 0.25)):
                blurred[tuple((np.array(vertex) + sign * step).tolist())] += share * value
        lattice = blurred
    return sum(np.outer(value, lattice[vertex]) for vertex, value in splat.items())


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4, 5])
def test_it_is_the_filter_of_the_paper_with_no_vertex_missing(dimensions):
    features = scatter(12, dimensions, seed=dimensions) - 1
    np.testing.assert_allclose(dense(Lattice.of(features)), paper(features), atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(
    count=st.integers(1, 40),
    dimensions=st.integers(1, 6),
    spread=st.sampled_from([0.0, 0.1, 3.0, 100.0]),
    seed=st.integers(0, 10_000),
)
def test_it_is_symmetric_positive_and_keeps_constants(count, dimensions, spread, seed):
    matrix = dense(Lattice.of(scatter(count, dimensions, spread, seed)))
    assert matrix.dtype == np.float32
    assert matrix.min() >= 0
    assert matrix.diagonal().min() > 0
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-6)
    assert np.linalg.eigvalsh(matrix.astype(float)).min() > -1e-6
    np.testing.assert_allclose(normalised(matrix, np.full((count, 1), 0.7)), 0.7, atol=1e-5)


def test_it_is_linear_and_columns_do_not_mix():
    lattice, values = Lattice.of(scatter(300, 5)), np.random.default_rng(1).random((300, 3)).astype(np.float32)
    filtered = lattice.filter(values)
    assert filtered.shape == (300, 3)
    np.testing.assert_array_equal(filtered[:, 1:2], lattice.filter(values[:, 1:2]))
    np.testing.assert_allclose(
        lattice.filter(2 * values[:, :1] - 3 * values[:, 1:2]), 2 * filtered[:, :1] - 3 * filtered[:, 1:2], atol=1e-4
    )


@pytest.mark.parametrize(("dimensions", "side"), [(1, 4001), (2, 61), (3, 21)])
def test_its_covariance_is_one_in_every_direction(dimensions, side):
    axis = np.linspace(-4.2, 4.2, side)
    grid = np.stack(np.meshgrid(*[axis] * dimensions), axis=-1).reshape(-1, dimensions)
    middle = 0.5 * scatter(40, dimensions, seed=2)
    lattice = Lattice.of(np.concatenate([middle, grid + 0.75]))
    impulses = np.zeros((len(middle) + len(grid), len(middle)), np.float32)
    impulses[: len(middle)] = np.eye(len(middle))
    response = lattice.filter(impulses)[len(middle) :]
    response /= response.sum(axis=0)
    away = grid[:, None] + 0.75 - middle
    covariance = np.einsum("gp,gpi,gpj->ij", response, away, away) / len(middle)
    # The single place of an impulse between the vertices matters; the mean over forty is near the mean over all.
    np.testing.assert_allclose(covariance, np.eye(dimensions), atol=0.06)


@pytest.mark.parametrize(
    ("dimensions", "mean", "most"), [(1, 0.015, 0.03), (2, 0.015, 0.05), (3, 0.015, 0.08), (5, 0.02, 0.11)]
)
def test_normalised_filtering_is_close_to_the_true_gaussian(dimensions, mean, most):
    features = scatter(600, dimensions, spread=4, seed=3)
    values = np.stack([features[:, 0] > 2, features.sum(axis=1) > 2 * dimensions], axis=1).astype(float)
    error = normalised(dense(Lattice.of(features)), values) - normalised(gaussian(features), values)
    assert np.abs(error).mean() < mean
    assert np.abs(error).max() < most


def test_points_far_apart_do_not_meet():
    features = np.concatenate([scatter(10, 3), scatter(10, 3) + 9])
    matrix = dense(Lattice.of(features))
    assert not matrix[:10, 10:].any()


def test_a_feature_that_is_the_same_everywhere_changes_next_to_nothing():
    features = scatter(400, 2, spread=4)
    flat = np.concatenate([features, np.full((400, 1), 5.0)], axis=1)
    values = (features[:, :1] > 2).astype(float)
    one, other = (normalised(dense(Lattice.of(points)), values) for points in (features, flat))
    assert np.abs(one - other).mean() < 0.02


@settings(max_examples=20, deadline=None)
@given(keys=st.lists(st.integers(0, 99), min_size=1, max_size=50), cells=st.sampled_from([100, 10**6]))
def test_keys_are_numbered_alike_with_a_table_and_by_sorting(keys, cells):
    keys = np.array([keys, keys])
    vertices, index = number(keys, cells)
    np.testing.assert_array_equal(vertices, np.unique(keys))
    np.testing.assert_array_equal(vertices[index], keys)


def test_the_same_input_gives_the_same_bytes_and_stays_untouched():
    features, values = scatter(500, 5), scatter(500, 2, seed=1).astype(np.float32)
    before = features.copy(), values.copy()
    assert Lattice.of(features).filter(values).tobytes() == Lattice.of(features).filter(values).tobytes()
    np.testing.assert_array_equal(features, before[0])
    np.testing.assert_array_equal(values, before[1])


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros(5), r"features \[N, d\]"),
        (np.zeros((0, 5)), r"features \[N, d\]"),
        (np.zeros((5, 0)), r"features \[N, d\]"),
        (np.array([[0.0], [np.nan]]), "finite"),
        (np.array([[0.0], [np.inf]]), "finite"),
        (np.array([[0.0], [1e300]]), "finite"),
        (1e9 * scatter(5, 3), "too many standard deviations"),
    ],
)
def test_impossible_features_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        Lattice.of(features)
