"""The batch on the CPU device against the direct solver."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import assert_alphas, scene

from matlabel.mattes.closed_form import closed_form
from matlabel.mattes.gpu.closed_form import Prepared, closed_form_batch
from matlabel.mattes.gpu.stream import closed_form_stream
from matlabel.mattes.problem import DataTerms, Problem
from matlabel.settings.mattes import MattesSettings

EXACT = {"tolerance": 1e-6, "iterations": 3000}
SIZES = [((36, 45), (1, 2)), ((46, 33), (3,)), ((33, 40), (1, 2, 5)), ((32, 45), (254,))]


def problems(kind="bytes", **weights):
    for seed, (size, labels) in enumerate(SIZES):
        image, trimap = scene(*size, labels, seed)
        if kind == "grey":
            image[:] = image[:, :, :1]
        if kind != "floats":
            image = (255 * image).astype(np.uint8)
        planes = np.random.default_rng(seed).integers(0, 256, (len(labels) + 1, 12, 12)).astype(np.uint8)
        yield Problem.of(image, trimap, labels, DataTerms(planes, **weights))


@pytest.mark.parametrize("kind", ["bytes", "floats", "grey"])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_alphas_are_those_of_the_direct_solve(scale, kind):
    items = [Prepared.of(problem, scale) for problem in problems(kind)]
    for alphas, item in zip(closed_form_batch(items, "cpu", epsilon=1e-5, **EXACT), items, strict=True):
        problem = item.problem
        assert_alphas(alphas, problem.trimap, problem.values[1:])
        exact = closed_form(problem.image, problem.trimap, problem.values[1:], scale=scale, epsilon=1e-5)
        np.testing.assert_allclose(alphas, exact, atol=2e-3)
        assert np.abs(alphas - exact).mean() < 1e-4


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize(
    "weights",
    [
        {"prior_weight": 0.01},
        {"prior_weight": 2.0},
        {"samples_weight": 0.3},
        {"prior_weight": 0.05, "samples_weight": 0.3},
    ],
)
def test_alphas_with_data_terms_are_those_of_the_direct_solve(scale, weights):
    given = [*problems(**weights)]
    given[1] = replace(given[1], terms=DataTerms())
    items = [Prepared.of(problem, scale) for problem in given]
    for alphas, problem in zip(closed_form_batch(items, "cpu", epsilon=1e-5, **EXACT), given, strict=True):
        labels = problem.values[1:]
        exact = closed_form(problem.image, problem.trimap, labels, scale=scale, epsilon=1e-5, terms=problem.terms)
        np.testing.assert_allclose(alphas, exact, atol=2e-3)


@pytest.mark.parametrize("scale", [1, 4])
def test_the_default_tolerance_changes_under_one_in_a_hundred_labels(scale):
    items = [Prepared.of(problem, scale) for problem in problems()]
    differ = unknown = 0
    for alphas, item in zip(closed_form_batch(items, "cpu"), items, strict=True):
        problem = item.problem
        exact = closed_form(problem.image, problem.trimap, problem.values[1:], scale=scale)
        differ += np.count_nonzero(alphas.argmax(0) != exact.argmax(0))
        unknown += len(problem.unknown)
    assert differ < 0.01 * unknown


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(24, 40), st.integers(24, 40)), min_size=2, max_size=4),
    scale=st.sampled_from([1, 2, 4]),
    seed=st.integers(0, 1000),
)
def test_neither_padding_nor_neighbours_change_what_an_image_gets(sizes, scale, seed):
    items = []
    for number, size in enumerate(sizes):
        labels = (1, 2, 5)[: 1 + number % 3]
        image, trimap = scene(*size, labels, seed + number)
        items.append(Prepared.of(Problem.of(image, trimap, labels), scale))
    items = [item for item in items if item.grid == scale]
    together = closed_form_batch(items, "cpu", epsilon=1e-4, **EXACT) if items else []
    for alphas, item in zip(together, items, strict=True):
        alone = closed_form_batch([item], "cpu", epsilon=1e-4, **EXACT)[0]
        np.testing.assert_allclose(alphas, alone, atol=1e-3)


def test_the_same_batch_gives_the_same_bytes():
    items = [Prepared.of(problem, 4) for problem in problems()]
    one, other = (closed_form_batch(items, "cpu") for _ in range(2))
    assert [a.tobytes() for a in one] == [b.tobytes() for b in other]


def test_grids_of_two_scales_and_grids_below_a_window_are_refused():
    image, trimap = scene(64, 64)
    mixed = [Prepared.of(Problem.of(image, trimap, [1, 2]), scale) for scale in (1, 2)]
    with pytest.raises(ValueError, match="one scale"):
        closed_form_batch(mixed, "cpu")
    with pytest.raises(ValueError, match="window"):
        closed_form_batch([Prepared.of(Problem.of(*scene(2, 9), [1, 2]), 1)], "cpu")


def test_a_stream_keeps_the_order_whatever_needs_solving():
    labelled = [(scene(70, 90), [1, 2]), (scene(91, 66, (3,)), [3]), (scene(2, 9), [1, 2]), (scene(30, 33), [1, 2])]
    sure = np.zeros((40, 50), np.uint8)
    sure[5:9] = 2
    labelled[1:1] = [((np.zeros((40, 50, 3)), sure), [2]), ((np.zeros((5, 6, 3)), np.full((5, 6), 0, np.uint8)), [])]
    asked = [Problem.of(*parts, labels) for parts, labels in labelled * 2]
    chosen = MattesSettings(batch_size=5, epsilon=1e-5, **EXACT)
    found = list(closed_form_stream(asked, "cpu", chosen))
    assert len(found) == len(asked)
    for alphas, problem in zip(found, asked, strict=True):
        exact = closed_form(problem.image, problem.trimap, problem.values[1:], epsilon=1e-5)
        np.testing.assert_allclose(alphas, exact, atol=2e-3)
