"""The random walker against Grady's system, solved densely."""

import numpy as np
import pytest
from scenes import assert_alphas, scene
from skimage.segmentation import random_walker

from matlabel.mattes.comparisons import random_walk
from matlabel.mattes.grid import matte


def dense_walk(image, trimap, values, beta):
    """Grady's combinatorial Dirichlet problem on the four-connected grid, with scikit-image's weights."""
    height, width = trimap.shape
    number = np.arange(height * width).reshape(height, width)
    laplacian = np.zeros((height * width, height * width))
    spread = 10 * image.std() * np.sqrt(3) if beta else 1.0
    pairs = [*zip(number[:, :-1].flat, number[:, 1:].flat), *zip(number[:-1].flat, number[1:].flat)]  # noqa: B905
    colours = image.reshape(-1, 3)
    for i, j in pairs:
        weight = np.exp(-beta / spread * ((colours[i] - colours[j]) ** 2).sum()) + 1e-10
        laplacian[[i, j], [i, j]] += weight
        laplacian[[i, j], [j, i]] -= weight
    unknown = trimap.ravel() == 255
    chances = np.stack([trimap.ravel() == value for value in values], axis=1).astype(float)
    chances[unknown] = np.linalg.solve(
        laplacian[np.ix_(unknown, unknown)], -laplacian[unknown][:, ~unknown] @ chances[~unknown]
    )
    return chances.T.reshape(-1, height, width)


@pytest.mark.parametrize("beta", [0.0, 130.0, 1000.0])
def test_chances_solve_the_system_of_grady(beta):
    image, trimap = scene(9, 11)
    chances = random_walk.solve(image, trimap, [2, 0, 1], beta)
    np.testing.assert_allclose(chances, dense_walk(image, trimap, [2, 0, 1], beta), atol=1e-8)


def test_a_constant_image_takes_no_notice_of_colours():
    trimap = scene(9, 11)[1]
    image = np.full((9, 11, 3), 0.1)
    np.testing.assert_allclose(
        random_walk.solve(image, trimap, [0, 1, 2]), dense_walk(image, trimap, [0, 1, 2], 0.0), atol=1e-8
    )


def test_planes_follow_the_values_and_not_the_numbers_of_scikit_image():
    image, trimap = scene(labels=(3, 200))
    numbers = np.select([trimap == 0, trimap == 3, trimap == 200], [1, 2, 3], 0)
    direct = random_walker(image, numbers, mode="bf", return_full_prob=True, channel_axis=-1)
    np.testing.assert_allclose(random_walk.solve(image, trimap, [200, 0, 3]), direct[[2, 0, 1]], atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (1, 9), (9, 1), (3, 3)])
def test_small_images_work(shape):
    image = scene(*shape)[0]
    trimap = np.full(shape, 255, np.uint8)
    trimap[0, 0], trimap[-1, -1] = 0, 1
    assert_alphas(matte(image, trimap, [1], random_walk.solve, 1), trimap, [1])


def test_a_single_unknown_pixel_and_a_sealed_region_are_decided():
    image = scene(9, 9)[0]
    trimap = np.zeros((9, 9), np.uint8)
    trimap[0, 0] = 1
    trimap[4, 4] = 255
    assert_alphas(matte(image, trimap, [1], random_walk.solve, 1), trimap, [1])
    trimap[0, 3] = 255  # cannot be reached from the other, nor from label 1
    alphas = matte(image, trimap, [1], random_walk.solve, 1)
    np.testing.assert_allclose(alphas[0, [0, 4], [3, 4]], 1, atol=1e-9)


def test_a_single_value_takes_everything_and_nothing_unknown_stays_as_it_is():
    image, trimap = scene(9, 9)
    only = np.where(trimap == 1, 1, 255).astype(np.uint8)
    np.testing.assert_array_equal(random_walk.solve(image, only, [1]), np.ones((1, 9, 9)))
    whole = np.where(trimap == 1, 1, 0).astype(np.uint8)
    np.testing.assert_array_equal(random_walk.solve(image, whole, [1, 0]), [whole == 1, whole == 0])
