import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import assert_alphas, scene

from matlabel.mattes import closed_form
from matlabel.mattes.batched.closed_form import Prepared, closed_form_batch
from matlabel.mattes.closed_form import solve
from matlabel.mattes.grid import matte
from matlabel.mattes.methods import alphas_of
from matlabel.mattes.prior import SHARPNESS, contradicted
from matlabel.mattes.problem import UNKNOWN, Belief, Problem
from matlabel.settings.mattes import MattesSettings

EXACT = {"tolerance": 1e-7, "iterations": 5000}


def beliefs(labels, seed=0, size=(7, 8)):
    return np.random.default_rng(seed).integers(0, 256, (len(labels) + 1, *size)).astype(np.uint8)


def solver(*problem):
    return solve(*problem[:3], epsilon=1e-5, pull=problem[3] if len(problem) > 3 else None)


@settings(max_examples=25, deadline=None)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    labels=st.sampled_from([(1,), (2, 5), (1, 3, 4)]),
    scale=st.sampled_from([1, 2, 4]),
    weight=st.floats(1e-4, 1e3),
    seed=st.integers(0, 1000),
)
def test_alphas_sum_to_one_and_keep_what_is_sure(size, labels, scale, weight, seed):
    image, trimap = scene(*size, labels, seed)
    if (trimap == UNKNOWN).all():
        trimap[0, 0] = 0
    belief = Belief(beliefs(labels, seed), weight)
    assert_alphas(matte(image, trimap, labels, solver, scale, belief), trimap, labels)


def test_what_is_believed_strongly_becomes_the_alphas():
    image, trimap = scene(24, 28)
    planes = beliefs((1, 2), size=(24, 28))
    alphas = matte(image, trimap, (1, 2), solver, 1, Belief(planes, 1e9))
    unknown = trimap == UNKNOWN
    sharp = planes.astype(float) ** SHARPNESS
    expected = sharp / sharp.sum(axis=0)
    np.testing.assert_allclose(alphas[:, unknown], expected[:, unknown], atol=1e-6)


def test_what_is_hardly_believed_changes_hardly_anything():
    image, trimap = scene(24, 28)
    colours = matte(image, trimap, (1, 2), solver, 1)
    alphas = matte(image, trimap, (1, 2), solver, 1, Belief(beliefs((1, 2)), 1e-9))
    np.testing.assert_allclose(alphas, colours, atol=1e-5)


def test_colours_draw_the_contour_and_activations_say_what_lies_within():
    # One colour on the left, one on the right; the object is surely known at a single place, far from the rest.
    image = np.full((40, 60, 3), 0.2)
    image[:, 30:] = (0.8, 0.6, 0.4)
    trimap = np.full((40, 60), UNKNOWN, np.uint8)
    trimap[:, :4], trimap[18:22, 50:54] = 0, 1
    # The activations are vague, and wrong by four pixels about where the border is.
    blurred = np.where(np.arange(60) >= 26, 0.6, 0.4) * np.ones((40, 1))
    alphas = matte(image, trimap, (1,), solver, 1, Belief(np.stack([1 - blurred, blurred]), 0.003))
    assert (alphas.argmax(axis=0) == (np.arange(60) >= 30)).mean() > 0.98


def test_a_label_without_a_sure_pixel_gets_nothing_and_the_others_share_its_part():
    image, trimap = scene(24, 28, (1,))
    planes = beliefs((1, 2), size=(24, 28))
    alphas = matte(image, trimap, (1, 2), solver, 1, Belief(planes, 1e9))
    unknown = trimap == UNKNOWN
    sharp = planes.astype(float) ** SHARPNESS
    expected = sharp[1] / np.maximum(sharp[0] + sharp[1], 1)
    told = unknown & (planes[0].astype(int) + planes[1] > 0)
    assert not alphas[2].any()
    np.testing.assert_allclose(alphas[1][told], expected[told], atol=1e-6)


def test_a_pixel_of_which_nothing_is_believed_is_decided_by_its_colours():
    image, trimap = scene(24, 28)
    silent = np.zeros((3, 24, 28), np.uint8)
    colours = matte(image, trimap, (1, 2), solver, 1)
    np.testing.assert_array_equal(matte(image, trimap, (1, 2), solver, 1, Belief(silent, 1.0)), colours)


def test_a_stroke_frees_the_region_in_which_it_contradicts_and_no_other():
    winner = np.zeros((10, 20), np.uint8)
    winner[2:8, 1:7], winner[2:8, 12:18] = 1, 1
    trimap = np.full((10, 20), UNKNOWN, np.uint8)
    drawn = np.zeros((10, 20), bool)
    trimap[4, 3], drawn[4, 3] = 0, True  # not the object on the left
    trimap[5, 14], drawn[5, 14] = 1, True  # the one on the right it is
    trimap[0, 9] = 1  # sure, but nobody drew it
    expected = np.zeros((10, 20), bool)
    expected[2:8, 1:7] = True
    np.testing.assert_array_equal(contradicted(winner, trimap, drawn), expected)


def test_a_stroke_against_the_activations_prevails():
    image = np.full((32, 32, 3), 90, np.uint8) + np.random.default_rng(0).integers(0, 9, (32, 32, 3), dtype=np.uint8)
    planes = np.zeros((2, 8, 8), np.uint8)
    planes[1, :, 4:], planes[0, :, :4] = 255, 255
    trimap = np.full((32, 32), UNKNOWN, np.uint8)
    trimap[:, :3] = 0
    trimap[0, 20] = 1
    drawn = np.zeros((32, 32), bool)
    trimap[8:30, 29:31], drawn[8:30, 29:31] = 0, True
    given = {"trimap": trimap, "activations": planes}
    chosen = MattesSettings(scale=1, epsilon=1e-5, prior=1)
    assert alphas_of(image, [1], chosen, **given)[1, 12:, 20:26].mean() > 0.9
    assert alphas_of(image, [1], chosen, **given, drawn=drawn)[1, 12:, 20:26].mean() < 0.1


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_batches_on_a_device_give_what_the_direct_solve_gives(scale):
    problems = []
    for number, labels in enumerate([(1, 2), (3,), (1, 2, 5)]):
        image, trimap = scene(64 + number, 60, labels, number)
        # The second is not believed anything.
        belief = None if number == 1 else Belief(beliefs(labels, number), 0.3)
        problems.append(Problem.of(image, trimap, labels, belief))
    found = closed_form_batch([Prepared.of(problem, scale) for problem in problems], "cpu", epsilon=1e-5, **EXACT)
    for alphas, problem in zip(found, problems, strict=True):
        exact = matte(problem.image, problem.trimap, problem.values[1:], solver, scale, problem.belief)
        np.testing.assert_allclose(alphas, exact, atol=2e-3)


def test_without_a_prior_the_activations_are_not_read():
    image, trimap = scene(24, 28)
    found = alphas_of(image, [1, 2], MattesSettings(prior=0, scale=1), trimap=trimap, activations=beliefs((1, 2)))
    np.testing.assert_array_equal(found, closed_form.closed_form(image, trimap, [1, 2], scale=1))


def test_activations_of_other_labels_are_refused():
    image, trimap = scene(24, 28)
    with pytest.raises(ValueError, match="activations of 3 planes"):
        matte(image, trimap, (1, 2), solver, 1, Belief(beliefs((1,)), 1.0))
    with pytest.raises(ValueError, match=r"mattes\.prior needs activations"):
        alphas_of(image, [1, 2], MattesSettings(prior=1), trimap=trimap)
