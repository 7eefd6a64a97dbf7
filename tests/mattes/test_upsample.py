"""Local-linear upsampling."""

import numpy as np
import pytest

from matlabel.mattes.upsample import linear_coefficients, upsample
from matlabel.pixels.cells import area_mean


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("shape", [(40, 36), (41, 39), (5, 3)])
def test_an_alpha_that_is_linear_in_the_colour_is_exact_at_full_size(shape, scale):
    image = np.random.default_rng(0).random((*shape, 3))
    weights = np.array([0.2, 0.5, -0.1])
    coarse = area_mean(image, scale)
    alphas = (coarse @ weights + 0.1)[None]
    pixels = np.arange(image[:, :, 0].size)
    fitted = upsample(alphas, coarse, image, pixels, scale, epsilon=1e-10)
    if min(coarse.shape[:2]) > 2:  # fewer colours than unknowns leave the fit free where no colour was seen
        np.testing.assert_allclose(fitted[0], (image @ weights + 0.1).ravel(), atol=1e-3)
    assert np.isfinite(fitted).all()


def test_constants_stay_constants_and_planes_add_up():
    random = np.random.default_rng(1)
    image = random.random((30, 33, 3))
    coarse = area_mean(image, 4)
    parts = random.random((3, *coarse.shape[:2]))
    parts /= parts.sum(axis=0)
    pixels = np.flatnonzero(random.random((30, 33)) < 0.3)
    np.testing.assert_allclose(upsample(parts, coarse, image, pixels, 4).sum(axis=0), 1, atol=1e-5)
    np.testing.assert_allclose(upsample(0 * parts + 0.25, coarse, image, pixels, 4), 0.25, atol=1e-6)


@pytest.mark.parametrize("shape", [(21, 18), (83, 71)])
@pytest.mark.parametrize("radius", [1, 2])
def test_wanted_pixels_are_those_of_the_whole_image(shape, radius):
    random = np.random.default_rng(2)
    image = random.integers(0, 256, (*shape, 3)).astype(np.uint8)
    coarse = area_mean(image, 4)
    alphas = random.random((2, *coarse.shape[:2]))
    everywhere = np.arange(shape[0] * shape[1])
    whole = upsample(alphas, coarse, image, everywhere, 4, radius=radius)
    for pixels in ([0], [len(everywhere) - 1], [0, 17, 18, 200, 377], [len(everywhere) // 2, len(everywhere) // 2 + 3]):
        found = upsample(alphas, coarse, image, np.array(pixels), 4, radius=radius)
        np.testing.assert_allclose(found, whole[:, pixels], atol=1e-5)


def test_an_edge_comes_out_as_sharp_as_the_image():
    image = np.full((32, 32, 3), 0.2)
    image[:, 18:] = 0.8  # cuts through the cells of columns 16 to 19
    coarse = area_mean(image, 4)
    alphas = ((coarse[:, :, 0] - 0.2) / 0.6)[None]
    fitted = upsample(alphas, coarse, image, np.arange(32 * 32), 4).reshape(32, 32)
    np.testing.assert_allclose(fitted[:, 17], 0, atol=0.01)
    np.testing.assert_allclose(fitted[:, 18], 1, atol=0.01)


def test_a_flat_guide_has_no_slope():
    coefficients = linear_coefficients(np.random.default_rng(4).random((1, 6, 6)), np.full((6, 6, 3), 0.7), 1e-5)
    np.testing.assert_allclose(coefficients[:3], 0, atol=1e-8)
