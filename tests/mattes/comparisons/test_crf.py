"""Mean field of the dense CRF: brute force on tiny images, invariants and every degenerate input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.mattes.comparisons.crf import mean_field
from matlabel.mattes.comparisons.permutohedral import Lattice


def scene(height=26, width=30, count=3, seed=0):
    """Smooth colours with some noise, and one blob of probability a plane, noisy too."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    image = np.stack([0.5 + 0.4 * np.sin(7 * x + 3 * y), 0.5 + 0.4 * np.cos(6 * y - 2 * x), 0.3 + 0.4 * x * y], axis=2)
    image = np.clip(image + 0.04 * random.standard_normal(image.shape), 0, 1)
    centres = random.random((count, 2, 1, 1))
    planes = np.exp(-6 * ((y - centres[:, 0]) ** 2 + (x - centres[:, 1]) ** 2))
    return (255 * image).astype(np.uint8), planes * (0.3 + random.random(planes.shape))


def true_kernels(image, smooth_sigma, bilateral_sigma, colour_sigma):
    height, width, _ = image.shape
    y, x = (grid.ravel() for grid in np.mgrid[:height, :width])
    positions = np.subtract.outer(y, y) ** 2 + np.subtract.outer(x, x) ** 2
    colours = sum(np.subtract.outer(plane, plane) ** 2 for plane in image.reshape(-1, 3).T.astype(float))
    smooth = np.exp(-positions / (2 * smooth_sigma**2))
    return smooth, np.exp(-positions / (2 * bilateral_sigma**2) - colours / (2 * colour_sigma**2))


def brute_force(probabilities, kernels, weights, iterations):
    """Algorithm 1 of the paper with dense matrices [N, N]."""
    planes = probabilities.reshape(len(probabilities), -1)
    planes = np.maximum(planes / planes.sum(axis=0), 1e-5)
    marginals = planes / planes.sum(axis=0)
    for _ in range(iterations):
        exponent = np.log(planes)
        for weight, kernel in zip(weights, kernels, strict=True):
            root = 1 / np.sqrt(kernel.sum(axis=1))
            message = marginals @ (root[:, None] * kernel * root)
            exponent = exponent - weight * (message.sum(axis=0) - message)
        exponent = np.exp(exponent - exponent.max(axis=0))
        marginals = exponent / exponent.sum(axis=0)
    return marginals.reshape(probabilities.shape)


def assert_marginals(marginals, shape):
    assert marginals.shape == shape
    assert marginals.dtype == np.float32
    assert marginals.min() >= 0
    assert marginals.max() <= 1
    np.testing.assert_allclose(marginals.sum(axis=0), 1, atol=1e-6)


@pytest.mark.parametrize("count", [2, 4])
def test_it_is_algorithm_1_on_its_own_kernels(count):
    image, probabilities = scene(count=count)
    height, width, _ = image.shape
    y, x = (grid.ravel() for grid in np.mgrid[:height, :width])
    features = np.stack([y / 20, x / 20, *(image.reshape(-1, 3).T / 13)], axis=1)
    bilateral = Lattice.of(features).filter(np.eye(height * width)).astype(float)
    smooth = true_kernels(image, 2.0, 20.0, 13.0)[0]
    oracle = brute_force(probabilities, (smooth, bilateral), (2.0, 4.0), 5)
    marginals = mean_field(
        image, probabilities, iterations=5, smooth_weight=2, smooth_sigma=2, bilateral_weight=4, bilateral_sigma=20
    )
    np.testing.assert_allclose(marginals, oracle, atol=2e-3)


@pytest.mark.parametrize("bilateral_sigma", [80.0, 20.0])
def test_it_is_close_to_algorithm_1_with_true_gaussians(bilateral_sigma):
    for seed in range(4):
        image, probabilities = scene(seed=seed)
        oracle = brute_force(probabilities, true_kernels(image, 3.0, bilateral_sigma, 13.0), (3.0, 10.0), 10)
        marginals = mean_field(image, probabilities, bilateral_sigma=bilateral_sigma)
        # A lattice is near a Gaussian, no more, and mean field drives small differences apart at near ties.
        assert np.abs(marginals - oracle).mean() < 0.025
        assert (marginals.argmax(axis=0) == oracle.argmax(axis=0)).mean() > 0.965


def test_smoothness_alone_is_exact_and_flips():
    image, probabilities = scene()
    oracle = brute_force(probabilities, true_kernels(image, 1.5, 80.0, 13.0)[:1], (3.0,), 10)
    marginals = mean_field(image, probabilities, smooth_sigma=1.5, bilateral_weight=0)
    np.testing.assert_allclose(marginals, oracle, atol=5e-4)
    flipped = mean_field(image[::-1], probabilities[:, ::-1], smooth_sigma=1.5, bilateral_weight=0)
    np.testing.assert_allclose(flipped[:, ::-1], marginals, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 13),
    width=st.integers(1, 13),
    count=st.integers(1, 5),
    seed=st.integers(0, 10_000),
    iterations=st.integers(0, 3),
    kind=st.sampled_from(["colour", "noise", "grey", "constant", "floats"]),
    sharp=st.booleans(),
)
def test_marginals_sum_to_one(height, width, count, seed, iterations, kind, sharp):
    image, probabilities = scene(height, width, count, seed)
    if kind == "noise":
        image = np.random.default_rng(seed).integers(0, 256, image.shape).astype(np.uint8)
    elif kind == "grey":
        image = np.repeat(image[:, :, :1], 3, axis=2)
    elif kind == "constant":
        image[:] = image[0, 0]
    elif kind == "floats":
        image = image / 255
    if sharp:
        probabilities = (probabilities == probabilities.max(axis=0)).astype(np.uint8)
    assert_marginals(mean_field(image, probabilities, iterations=iterations), (count, height, width))


def test_a_noisy_unary_is_cleaned_up_to_the_edge_of_the_picture():
    random = np.random.default_rng(0)
    inside = np.hypot(*np.mgrid[-30:30, -35:35]) < 20
    image = np.where(inside[:, :, None], (190, 140, 90), (60, 80, 110)) + random.integers(-6, 7, (*inside.shape, 3))
    blurred = np.hypot(*np.mgrid[-30:30, -35:35]) < 20 + 8 * random.standard_normal(inside.shape)
    probabilities = np.stack([np.where(blurred, 0.3, 0.7), np.where(blurred, 0.7, 0.3)])
    assert (blurred == inside).mean() < 0.9
    marginals = mean_field(image.astype(np.uint8), probabilities)
    assert ((marginals[1] > 0.5) == inside).mean() > 0.999


FLIPS = {"left to right": lambda a: a[..., ::-1], "upside down": lambda a: a[..., ::-1, :]}


@pytest.mark.parametrize("flip", FLIPS)
def test_flipping_the_image_flips_the_marginals_nearly(flip):
    for seed in range(3):
        image, probabilities = scene(40, 46, seed=seed)
        flipped_image = np.moveaxis(FLIPS[flip](np.moveaxis(image, 2, 0)), 0, 2)
        straight = FLIPS[flip](mean_field(image, probabilities))
        flipped = mean_field(flipped_image, FLIPS[flip](probabilities))
        # The lattice itself does not flip: that is the whole difference.
        assert np.abs(straight - flipped).mean() < 0.015
        assert (straight.argmax(axis=0) == flipped.argmax(axis=0)).mean() > 0.98


def test_the_order_of_the_labels_only_orders_the_planes():
    image, probabilities = scene(count=4)
    order = [2, 0, 3, 1]
    np.testing.assert_allclose(
        mean_field(image, probabilities[order]), mean_field(image, probabilities)[order], atol=1e-3
    )


def test_the_scale_of_the_probabilities_and_the_type_of_the_image_do_not_matter():
    image, probabilities = scene()
    expected = mean_field(image, probabilities)
    np.testing.assert_allclose(mean_field(image, 1000 * probabilities), expected, atol=1e-3)
    np.testing.assert_allclose(mean_field(image / 255, probabilities), expected, atol=1e-3)
    np.testing.assert_allclose(mean_field((image / 255).astype(np.float32), probabilities), expected, atol=1e-3)


def test_no_iterations_give_the_normalised_probabilities():
    image, probabilities = scene()
    probabilities[1] = 0
    expected = np.maximum(probabilities / probabilities.sum(axis=0), 1e-5)
    np.testing.assert_allclose(
        mean_field(image, probabilities, iterations=0), expected / expected.sum(axis=0), rtol=1e-5
    )


def test_without_weights_nothing_moves():
    image, probabilities = scene()
    still = mean_field(image, probabilities, smooth_weight=0, bilateral_weight=0)
    np.testing.assert_allclose(still, mean_field(image, probabilities, iterations=0), atol=1e-6)


def test_the_only_plane_is_everywhere():
    image, probabilities = scene(count=1)
    probabilities[0, :3] = 0
    np.testing.assert_array_equal(mean_field(image, probabilities), np.ones_like(probabilities))


def test_a_label_without_any_probability_gets_next_to_nothing():
    image, probabilities = scene()
    without = mean_field(image, probabilities)
    padded = mean_field(image, np.concatenate([probabilities, np.zeros_like(probabilities[:1])]))
    assert padded[3].max() < 1e-3
    np.testing.assert_allclose(padded[:3], without, atol=1e-2)


def test_pixels_without_any_probability_follow_their_surroundings():
    image = np.full((30, 30, 3), 40, np.uint8)
    image[:, 12:] = 200
    probabilities = np.zeros((2, 30, 30))
    probabilities[0, :, :5], probabilities[1, :, 25:] = 1, 1
    marginals = mean_field(image, probabilities)
    assert marginals[0, :, :12].min() > 0.9
    assert marginals[1, :, 12:].min() > 0.9


def test_equal_probabilities_stay_equal():
    np.testing.assert_allclose(mean_field(scene()[0], np.ones((2, 26, 30)), iterations=3), 0.5, atol=1e-3)


def test_the_same_input_gives_the_same_bytes_and_stays_untouched():
    image, probabilities = scene(count=4)
    before = image.copy(), probabilities.copy()
    assert mean_field(image, probabilities).tobytes() == mean_field(image, probabilities).tobytes()
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(probabilities, before[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": np.zeros((26, 30))}, "image"),
        ({"image": np.zeros((26, 30, 4))}, "image"),
        ({"image": np.zeros((0, 30, 3), np.uint8)}, "image"),
        ({"image": np.zeros((26, 30, 3), int)}, "image of type uint8 or float"),
        ({"image": np.full((26, 30, 3), 1.5)}, r"image of floats in \[0, 1\]"),
        ({"image": np.full((26, 30, 3), np.nan)}, r"image of floats in \[0, 1\]"),
        ({"probabilities": np.ones((26, 30))}, "probabilities"),
        ({"probabilities": np.ones((0, 26, 30))}, "probabilities"),
        ({"probabilities": np.ones((2, 26, 31))}, "probabilities"),
        ({"probabilities": np.ones((2, 26, 30), complex)}, "probabilities of type"),
        ({"probabilities": np.full((2, 26, 30), -0.1)}, "probabilities that are finite"),
        ({"probabilities": np.full((2, 26, 30), np.nan)}, "probabilities that are finite"),
        ({"probabilities": np.full((2, 26, 30), np.inf)}, "probabilities that are finite"),
        ({"iterations": -1}, "iterations"),
        ({"iterations": 2.5}, "iterations"),
        ({"smooth_weight": -1}, "smooth_weight"),
        ({"bilateral_weight": np.inf}, "bilateral_weight"),
        ({"smooth_sigma": 0}, "smooth_sigma"),
        ({"bilateral_sigma": -3}, "bilateral_sigma"),
        ({"colour_sigma": np.nan}, "colour_sigma"),
        ({"colour_sigma": 1e-9}, "colour_sigma"),
        ({"bilateral_sigma": 1e-300}, "bilateral_sigma"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    image, probabilities = scene()
    arguments = {"image": image, "probabilities": probabilities} | change
    with pytest.raises(ValueError, match=message):
        mean_field(**arguments)
