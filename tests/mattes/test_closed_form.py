"""Closed-form mattes: oracles, invariants and every degenerate trimap."""

import numpy as np
import pytest
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatting import cf_laplacian
from scenes import assert_alphas, scene

from matlabel.mattes.closed_form import closed_form, solve

SCALES = [1, 2, 4, "auto"]


def test_scale_one_is_a_direct_solve_on_the_laplacian_of_pymatting():
    image, trimap = scene()
    laplacian = cf_laplacian(image, 1e-7, 1).tocsc()
    unknown = trimap.ravel() == 255
    sure = np.stack([trimap.ravel() == value for value in (0, 1, 2)], axis=1).astype(float)
    oracle = sure.copy()
    oracle[unknown] = scipy.sparse.linalg.spsolve(
        laplacian[unknown][:, unknown], -laplacian[unknown][:, ~unknown] @ sure[~unknown]
    )
    raw = solve(image, trimap, [0, 1, 2])
    np.testing.assert_allclose(raw.reshape(3, -1).T, oracle, atol=1e-5)
    stored = np.maximum(oracle, 0)
    stored /= stored.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(closed_form(image, trimap, [1, 2], scale=1).reshape(3, -1).T, stored, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 21),
    width=st.integers(2, 21),
    count=st.integers(1, 4),
    seed=st.integers(0, 10_000),
    unknown=st.floats(0, 1),
    scale=st.sampled_from(SCALES),
    kind=st.sampled_from(["colour", "grey", "constant", "bytes"]),
)
def test_alphas_of_all_labels_sum_to_one_and_keep_what_is_sure(height, width, count, seed, unknown, scale, kind):
    labels = [3 * k + 2 for k in range(count)]
    image, trimap = scene(height, width, labels, seed, unknown)
    if kind == "grey":
        image[:] = image[:, :, :1]
    elif kind == "constant":
        image[:] = 0.5
    elif kind == "bytes":
        image = (255 * image).astype(np.uint8)
    assert_alphas(closed_form(image, trimap, labels, scale=scale), trimap, labels)


TURNS = {
    "left to right": lambda a: a[:, ::-1],
    "upside down": lambda a: a[::-1],
    "transposed": lambda a: np.swapaxes(a, 0, 1),
}


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 17),
    width=st.integers(4, 17),
    count=st.integers(1, 2),
    turn=st.sampled_from(sorted(TURNS)),
    seed=st.integers(0, 10_000),
)
def test_turning_the_image_turns_the_alphas(height, width, count, turn, seed):
    labels = [1, 2][:count]
    image, trimap = scene(height, width, labels, seed, unknown=0.5)
    straight = closed_form(image, trimap, labels, scale=1, epsilon=1e-5)
    turned = closed_form(TURNS[turn](image), TURNS[turn](trimap), labels, scale=1, epsilon=1e-5)
    expected = np.stack([TURNS[turn](plane) for plane in straight])
    np.testing.assert_allclose(turned, expected, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(order=st.permutations([1, 2, 7, 254]), scale=st.sampled_from(SCALES), seed=st.integers(0, 1000))
def test_the_order_of_the_labels_only_orders_the_planes(order, scale, seed):
    image, trimap = scene(33, 30, (1, 2, 7, 254), seed)
    one, other = (closed_form(image, trimap, labels, scale=scale) for labels in ([1, 2, 7, 254], order))
    np.testing.assert_allclose(one[[0, *(1 + [1, 2, 7, 254].index(label) for label in order)]], other, atol=1e-5)


@pytest.mark.parametrize(("scale", "tolerance"), [(1, 1e-3), (2, 0.02), (4, 0.03)])
def test_an_alpha_that_is_linear_in_the_colour_is_recovered(scale, tolerance):
    random = np.random.default_rng(0)
    ramp = np.clip((np.arange(96) - 24) / 48, 0, 1)
    truth = np.clip(ramp + 0.1 * (random.random((80, 96)) - 0.5) * (ramp > 0) * (ramp < 1), 0, 1)
    image = truth[:, :, None] * [0.9, 0.7, 0.1] + (1 - truth[:, :, None]) * [0.1, 0.2, 0.6]
    trimap = np.where(truth == 0, 0, np.where(truth == 1, 5, 255)).astype(np.uint8)
    trimap[:, 20:76] = 255
    alphas = closed_form(image, trimap, [5], scale=scale)
    assert np.abs(alphas[1] - truth).mean() < tolerance


def test_nothing_unknown_is_the_trimap_one_hot():
    trimap = np.random.default_rng(0).integers(0, 3, (9, 7)).astype(np.uint8)
    assert_alphas(closed_form(np.zeros((9, 7, 3)), trimap, [1, 2]), trimap, [1, 2])


def test_everything_unknown_is_refused():
    with pytest.raises(ValueError, match="every pixel of the trimap is unknown"):
        closed_form(np.zeros((9, 7, 3)), np.full((9, 7), 255, np.uint8), [1])


@pytest.mark.parametrize("value", [0, 255])
def test_without_labels_everything_is_background(value):
    alphas = closed_form(np.zeros((5, 6, 3)), np.full((5, 6), value, np.uint8), [])
    np.testing.assert_array_equal(alphas, np.ones((1, 5, 6)))


@pytest.mark.parametrize("scale", SCALES)
def test_without_sure_background_there_is_no_background(scale):
    image, trimap = scene()
    trimap[trimap == 0] = 255
    alphas = closed_form(image, trimap, [1, 2], scale=scale)
    assert_alphas(alphas, trimap, [1, 2])
    assert not alphas[0].any()


@pytest.mark.parametrize("scale", SCALES)
def test_a_label_without_sure_pixels_gets_nothing(scale):
    image, trimap = scene()
    alphas = closed_form(image, trimap, [1, 2, 9], scale=scale)
    assert not alphas[3].any()
    np.testing.assert_allclose(alphas[:3], closed_form(image, trimap, [1, 2], scale=scale), atol=1e-6)


@pytest.mark.parametrize("value", [0, 4])
def test_the_only_sure_value_takes_everything_unknown(value):
    trimap = np.full((20, 20), 255, np.uint8)
    trimap[3, 4] = value
    alphas = closed_form(scene(20, 20)[0], trimap, [4])
    np.testing.assert_array_equal(alphas[int(value == 4)], np.ones((20, 20)))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("shape", [(1, 2), (2, 2), (1, 9), (2, 9), (9, 2), (3, 3)])
def test_sides_shorter_than_a_window_work(shape, scale):
    image = scene(*shape)[0]
    trimap = np.full(shape, 255, np.uint8)
    trimap[0, 0], trimap[-1, -1] = 0, 1
    assert_alphas(closed_form(image, trimap, [1], scale=scale), trimap, [1])


@pytest.mark.parametrize("scale", SCALES)
def test_a_single_unknown_pixel_takes_after_its_surroundings(scale):
    image = np.full((90, 90, 3), 0.1)
    image[:, 45:] = 0.8
    trimap = np.zeros((90, 90), np.uint8)
    trimap[:, 45:] = 1
    trimap[30, 60] = 255
    alphas = closed_form(image, trimap, [1], scale=scale)
    assert_alphas(alphas, trimap, [1])
    assert alphas[1, 30, 60] > 0.99


def test_a_tie_is_shared_evenly():
    trimap = np.full((9, 9), 255, np.uint8)
    trimap[:, 0], trimap[:, -1] = 1, 2
    alphas = closed_form(np.full((9, 9, 3), 0.4), trimap, [1, 2], scale=1)
    np.testing.assert_allclose(alphas[1:, :, 4], 0.5, atol=1e-6)
    np.testing.assert_allclose(alphas[1], alphas[2, :, ::-1], atol=1e-6)


@pytest.mark.parametrize("scale", [1, 4])
@pytest.mark.parametrize("noise", [0.0, 0.002])
def test_two_sure_pixels_decide_a_large_flat_image(scale, noise):
    # The worst condition that the system can have: hardly any constraint and hardly any colour.
    image = 0.5 + noise * np.random.default_rng(0).random((120, 90, 3))
    trimap = np.full((120, 90), 255, np.uint8)
    trimap[2, 2], trimap[-3, -3] = 0, 1
    alphas = closed_form(image, trimap, [1], scale=scale)
    assert_alphas(alphas, trimap, [1])
    assert alphas[1, :8, :8].mean() < alphas[1, -8:, -8:].mean()


def test_a_label_that_shares_all_its_cells_makes_the_grid_finer():
    image = np.full((40, 40, 3), 0.2)
    image[17:19, 17:19] = 0.9
    trimap = np.zeros((40, 40), np.uint8)
    trimap[10:30, 10:30] = 255
    trimap[17:19, 17] = 1
    trimap[16, 16] = trimap[19, 16] = 0  # in one cell with a pixel of the label at scale 4 and at scale 2
    at_four = closed_form(image, trimap, [1], scale=4)
    np.testing.assert_array_equal(at_four, closed_form(image, trimap, [1], scale=1))
    assert at_four[1, 17, 18] > 0.9


def test_bytes_and_floats_are_the_same_image():
    image, trimap = scene(70, 66)
    image = (255 * image).astype(np.uint8)
    np.testing.assert_allclose(closed_form(image, trimap, [1, 2]), closed_form(image / 255, trimap, [1, 2]), atol=1e-4)


@pytest.mark.parametrize("scale", SCALES)
def test_the_same_input_gives_the_same_bytes_and_stays_untouched(scale):
    image, trimap = scene(66, 70)
    before = image.copy(), trimap.copy()
    first = closed_form(image, trimap, [1, 2], scale=scale)
    assert first.tobytes() == closed_form(image, trimap, [1, 2], scale=scale).tobytes()
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(trimap, before[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [1]}, "not among the labels"),
        ({"labels": [1, 2, 2]}, "distinct labels"),
        ({"labels": [0, 1, 2]}, "1..254"),
        ({"labels": [1, 2, 255]}, "1..254"),
        ({"scale": 3}, "scale"),
        ({"image": np.zeros((24, 27, 3))}, "shape"),
        ({"image": np.full((24, 28, 3), 1.5)}, r"\[0, 1\]"),
        ({"image": np.full((24, 28, 3), np.nan)}, r"\[0, 1\]"),
        ({"image": np.zeros((24, 28, 3), int)}, "uint8 or float"),
        ({"trimap": np.zeros((24, 28))}, "trimap uint8"),
        ({"trimap": np.zeros((0, 28), np.uint8)}, "trimap uint8"),
        ({"epsilon": 0.0}, "epsilon"),
        ({"radius": 0}, "radius"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    image, trimap = scene()
    arguments = {"image": image, "trimap": trimap, "labels": [1, 2], "scale": 1} | change
    with pytest.raises(ValueError, match=message):
        closed_form(**arguments)
