"""Data terms of the matting energy: against oracles and at their extremes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import assert_alphas, scene

from matlabel.mattes.closed_form import closed_form, solve
from matlabel.mattes.data_terms import SHARPNESS, DataTerm, data_term
from matlabel.mattes.grid import coarse_problem
from matlabel.mattes.laplacian import matting_laplacian
from matlabel.mattes.methods import alphas_of
from matlabel.mattes.problem import DataTerms, Problem
from matlabel.pixels import resample
from matlabel.pixels.cells import area_mean
from matlabel.settings.mattes import MattesSettings

SCALES = [1, 2, 4, "auto"]


def quarter(height, width, planes, seed=0):
    size = (planes, -(-height // 4), -(-width // 4))
    return np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)


def test_without_weight_the_bytes_are_those_of_colours_alone():
    image, trimap = scene(40, 44)
    activations = quarter(40, 44, 3)
    plain = closed_form(image, trimap, [1, 2])
    assert closed_form(image, trimap, [1, 2], terms=DataTerms(activations, 0.0)).tobytes() == plain.tobytes()
    off = MattesSettings(prior=0, samples=0, epsilon=1e-7)
    assert alphas_of(image, [1, 2], off, trimap=trimap, prior=activations).tobytes() == plain.tobytes()


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(2, 40),
    count=st.integers(1, 4),
    seed=st.integers(0, 10_000),
    scale=st.sampled_from(SCALES),
    prior=st.sampled_from([0, 1e-4, 30.0]),
    samples=st.sampled_from([0, 1e-4, 30.0]),
)
def test_alphas_sum_to_one_and_keep_what_is_sure(height, width, count, seed, scale, prior, samples):
    labels = [3 * k + 2 for k in range(count)]
    image, trimap = scene(height, width, labels, seed)
    terms = DataTerms(quarter(height, width, count + 1, seed), prior, samples)
    assert_alphas(closed_form(image, trimap, labels, scale=scale, terms=terms), trimap, labels)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_huge_prior_is_the_activations_where_nothing_is_sure(scale):
    image, trimap = scene(72, 80, unknown=0.97)
    activations = quarter(72, 80, 3, seed=1)
    problem = Problem.of(image, trimap, [1, 2], DataTerms(activations, 1e9))
    grid, coarse = coarse_problem(problem, scale)
    raw = solve(area_mean(image, grid), coarse, [1, 2], data_term(problem, grid))
    cells = resample.resize(activations.astype(float), *coarse.shape) ** SHARPNESS
    cells /= cells.sum(axis=0)
    assert grid == scale
    np.testing.assert_allclose(raw[:, coarse == 255], cells[1:, coarse == 255], atol=1e-6)


def test_the_system_of_a_pull_is_a_larger_graphs():
    image, trimap = scene(14, 17)
    random = np.random.default_rng(3)
    weight = random.random((14, 17)) * (random.random((14, 17)) < 0.7)
    targets = random.dirichlet([1, 1, 1], (14, 17)).transpose(2, 0, 1)
    found = solve(image, trimap, [0, 1, 2], DataTerm(weight, weight * targets))
    # One node more for each label, sure of itself: the energy of edges to it is that of the pull, and the whole is
    # again a graph Laplacian.
    pixels = weight.size
    extended = np.zeros((pixels + 3, pixels + 3))
    extended[:pixels, :pixels] = matting_laplacian(image).toarray()
    for label in range(3):
        edge = (weight * targets[label]).ravel()
        extended[np.arange(pixels), np.arange(pixels)] += edge
        extended[:pixels, pixels + label] = extended[pixels + label, :pixels] = -edge
        extended[pixels + label, pixels + label] = edge.sum()
    np.testing.assert_allclose(extended.sum(axis=1), 0, atol=1e-6)
    assert np.linalg.eigvalsh(extended).min() > -1e-9 * pixels
    known = np.concatenate([trimap.ravel() != 255, np.ones(3, bool)])
    sure = np.concatenate([[trimap.ravel() == value for value in range(3)], np.eye(3)], axis=1)[:, known]
    oracle = np.linalg.solve(extended[np.ix_(~known, ~known)], -extended[np.ix_(~known, known)] @ sure.T).T
    np.testing.assert_allclose(found.reshape(3, -1)[:, trimap.ravel() == 255], oracle, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_a_label_without_sure_pixels_is_not_pulled_to(scale):
    image, trimap = scene(36, 33)
    terms = DataTerms(quarter(36, 33, 4), 0.5)
    alphas = closed_form(image, trimap, [1, 2, 9], scale=scale, terms=terms)
    fewer = replace(terms, prior=terms.prior[:3])
    without = closed_form(image, trimap, [1, 2], scale=scale, terms=fewer)
    assert not alphas[3].any()
    np.testing.assert_allclose(alphas[:3], without, atol=1e-6)


def test_where_the_sure_labels_have_no_activation_colours_decide():
    image, trimap = scene(24, 28)
    activations = np.zeros((3, 6, 7), np.uint8)
    plain = closed_form(image, trimap, [1, 2], scale=1)
    np.testing.assert_allclose(
        closed_form(image, trimap, [1, 2], scale=1, terms=DataTerms(activations, 5.0)), plain, atol=1e-9
    )


@pytest.mark.parametrize("shape", [(1, 2), (2, 9), (9, 2)])
def test_sides_shorter_than_a_window_are_pulled_too(shape):
    image = scene(*shape)[0]
    trimap = np.full(shape, 255, np.uint8)
    trimap[0, 0], trimap[-1, -1] = 0, 1
    activations = np.stack([np.zeros((1, 3)), np.ones((1, 3))])
    alphas = closed_form(image, trimap, [1], terms=DataTerms(activations, 1e6))
    assert (alphas[1][trimap == 255] > 0.999).all()


def test_activations_of_other_labels_are_refused():
    image, trimap = scene()
    with pytest.raises(ValueError, match="with a plane 2"):
        data_term(Problem.of(image, trimap, [1, 2], DataTerms(quarter(24, 28, 2), 1.0)), 1)


def test_a_prior_with_a_weight_must_be_there():
    image, trimap = scene()
    with pytest.raises(ValueError, match="probabilities are missing"):
        alphas_of(image, [1, 2], MattesSettings(prior=0.1), trimap=trimap)
