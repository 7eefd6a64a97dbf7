"""The coarse grid."""

import numpy as np
import pytest

from matlabel.mattes.downsample import choose_scale, coarse_trimap
from matlabel.pixels.cells import area_mean


@pytest.mark.parametrize(
    ("height", "width", "scale"),
    [
        (375, 500, 4),
        (300, 400, 4),
        (253, 500, 4),
        (252, 500, 2),
        (500, 100, 1),
        (1, 1, 1),
        (1500, 1600, 4),
        (1501, 1700, 8),
        (3000, 4000, 16),
        (100, 40_000, 8),
    ],
)
def test_the_scale_follows_the_floor_and_the_bound(height, width, scale):
    assert choose_scale(height, width) == scale


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
@pytest.mark.parametrize("shape", [(16, 24), (13, 9), (1, 3)])
def test_the_mean_is_that_of_the_cell_with_its_border_repeated(shape, scale):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    small = area_mean(image, scale)
    rows, columns = -(-shape[0] // scale), -(-shape[1] // scale)
    y = np.minimum(np.arange(rows * scale), shape[0] - 1).reshape(rows, scale)
    x = np.minimum(np.arange(columns * scale), shape[1] - 1).reshape(columns, scale)
    oracle = (image / 255.0)[y[:, :, None, None], x[None, None]].mean(axis=(1, 3))
    np.testing.assert_allclose(small, oracle, atol=1e-12)
    np.testing.assert_allclose(area_mean(image / 255.0, scale), small, atol=1e-12)


def test_a_cell_is_sure_where_its_sure_pixels_agree():
    cells = {0: [0, 255, 255, 255], 254: [254, 255, 254, 255], 3: [3, 3, 3, 3]}
    for value, pixels in cells.items():
        assert coarse_trimap(np.array(pixels, np.uint8).reshape(2, 2), 2) == value
    for pixels in ([255] * 4, [0, 254, 255, 255], [1, 2, 1, 1], [0, 0, 0, 1]):
        assert coarse_trimap(np.array(pixels, np.uint8).reshape(2, 2), 2) == 255


def test_a_thin_stroke_survives_and_odd_borders_count():
    trimap = np.full((9, 10), 255, np.uint8)
    trimap[:, 4] = 2
    trimap[8, 9] = 0
    small = coarse_trimap(trimap, 4)
    np.testing.assert_array_equal(small, [[255, 2, 255], [255, 2, 255], [255, 2, 0]])
