"""Shares of several values."""

import numpy as np

from matlabel.mattes.shares import shares


def test_they_sum_to_one_and_keep_the_order_of_values():
    planes = np.random.default_rng(0).normal(0.3, 1, (4, 9, 8)).astype(np.float32)
    before = planes.copy()
    parts = shares(planes)
    assert parts.dtype == np.float32
    assert parts.min() >= 0
    np.testing.assert_allclose(parts.sum(axis=0), 1, atol=1e-6)
    positive = planes.max(axis=0) > 0
    np.testing.assert_array_equal(parts.argmax(axis=0)[positive], planes.argmax(axis=0)[positive])
    np.testing.assert_array_equal(planes, before)


def test_where_nothing_is_above_zero_all_have_the_same():
    np.testing.assert_array_equal(shares(np.array([[0.0, -1.0], [0.0, -2.0]])), np.full((2, 2), 0.5))
