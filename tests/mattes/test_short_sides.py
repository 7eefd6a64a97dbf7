"""Sides shorter than a window."""

import numpy as np
import pytest

from matlabel.mattes.short_sides import lengthen


@pytest.mark.parametrize("window", [3, 5, 11])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 4), (5, 3), (12, 11)])
def test_they_get_a_window_long_and_the_original_is_inside(shape, window):
    random = np.random.default_rng(0)
    image, trimap = random.random((*shape, 3)), random.integers(0, 256, shape).astype(np.uint8)
    longer_image, longer_trimap, inner = lengthen(image, trimap, window)
    assert longer_image.shape == (*longer_trimap.shape, 3)
    for longer, side in zip(longer_trimap.shape, shape, strict=True):
        assert longer == side if side >= window else window <= longer <= window + 1
    np.testing.assert_array_equal(longer_trimap[None][inner], trimap[None])
    np.testing.assert_array_equal(np.moveaxis(longer_image, 2, 0)[inner], np.moveaxis(image, 2, 0))
    assert set(longer_trimap.ravel()) == set(trimap.ravel())


def test_turning_the_image_turns_the_longer_image():
    image, trimap = np.random.default_rng(0).random((2, 4, 3)), np.zeros((2, 4), np.uint8)
    np.testing.assert_array_equal(lengthen(image[::-1], trimap, 7)[0], lengthen(image, trimap, 7)[0][::-1])
