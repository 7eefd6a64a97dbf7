"""Largest-remainder rounding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.artifacts.quantise import quantise


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(1, 12),
    seed=st.integers(0, 10_000),
    size=st.sampled_from([1e-30, 1e-3, 1.0, 255.0, 1e30]),
    peaked=st.sampled_from([0.1, 1.0, 6.0]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_every_pixel_sums_to_255_and_no_plane_is_off_by_one(count, seed, size, peaked, dtype):
    planes = (size * np.random.default_rng(seed).random((count, 5, 6)) ** peaked).astype(dtype)
    rounded = quantise(planes)
    assert rounded.dtype == np.uint8
    np.testing.assert_array_equal(rounded.sum(axis=0, dtype=int), 255)
    exact = planes.astype(float) * (255 / planes.astype(float).sum(axis=0))
    assert np.abs(rounded - exact).max() < 1 + 1e-4


def test_bytes_that_already_sum_to_255_stay():
    random = np.random.default_rng(0)
    cuts = np.sort(random.integers(0, 256, (3, 20, 20)), axis=0)
    planes = np.diff(np.concatenate([np.zeros((1, 20, 20)), cuts, np.full((1, 20, 20), 255)]), axis=0)
    np.testing.assert_array_equal(quantise(planes), planes)
    np.testing.assert_array_equal(quantise(planes.astype(np.uint8)), planes)
    np.testing.assert_array_equal(quantise((planes / 255).astype(np.float32)), planes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_lower_plane_wins_a_tie(dtype):
    assert quantise(np.ones((2, 1, 1), dtype)).ravel().tolist() == [128, 127]
    assert quantise(np.ones((4, 1, 1), dtype)).ravel().tolist() == [64, 64, 64, 63]
    assert quantise(np.array([0, 1, 1], dtype).reshape(3, 1, 1)).ravel().tolist() == [0, 128, 127]


def test_the_largest_remainders_get_the_rest():
    planes = np.array([100.2, 100.7, 54.1]).reshape(3, 1, 1)
    assert quantise(planes).ravel().tolist() == [100, 101, 54]


def test_a_pixel_of_nothing_is_background():
    assert quantise(np.zeros((3, 1, 1))).ravel().tolist() == [255, 0, 0]


def test_254_labels_and_no_pixels_are_fine():
    planes = np.random.default_rng(0).random((255, 4, 4)).astype(np.float32)
    np.testing.assert_array_equal(quantise(planes).sum(axis=0, dtype=int), 255)
    assert quantise(np.zeros((2, 0, 5))).shape == (2, 0, 5)


def test_the_input_stays_untouched():
    planes = np.random.default_rng(0).random((3, 4, 4))
    before = planes.copy()
    quantise(planes)
    np.testing.assert_array_equal(planes, before)


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_impossible_probabilities_are_refused(value):
    with pytest.raises(ValueError, match="finite and at least 0"):
        quantise(np.full((2, 3, 3), value))


@pytest.mark.parametrize("shape", [(3, 3), (0, 3, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="planes"):
        quantise(np.zeros(shape))
