"""KNN matting against dense solves and pymatting's own estimate."""

import sys

import numpy as np
import pymatting
import pytest
from scenes import assert_alphas, scene

from matlabel.artifacts.errors import UserError
from matlabel.mattes.comparisons import knn
from matlabel.mattes.grid import matte

SEARCHES = ((20, 2.0), (10, 0.1))


def test_it_is_a_dense_solve_on_the_laplacian_of_pymatting():
    image, trimap = scene()
    laplacian = pymatting.knn_laplacian(image).toarray()
    unknown = trimap.ravel() == 255
    sure = np.stack([trimap.ravel() == value for value in (0, 1, 2)], axis=1).astype(float)
    right = -laplacian[unknown][:, ~unknown] @ sure[~unknown]
    oracle = np.linalg.solve(laplacian[np.ix_(unknown, unknown)], right)
    alphas = knn.solve(image, trimap, [0, 1, 2]).reshape(3, -1)
    np.testing.assert_allclose(alphas[:, unknown].T, oracle, atol=1e-5)
    np.testing.assert_array_equal(alphas[:, ~unknown].T, sure[~unknown])


def test_it_agrees_with_pymatting_whose_sure_pixels_are_soft():
    image = scene(40, 44)[0]
    trimap = np.full((40, 44), 255, np.uint8)
    trimap[:, :14], trimap[:, -14:] = 0, 1
    alphas = matte(image, trimap, [1], knn.solve, 1)
    # pymatting's constraints have a weight of 100, not infinity: 2.0e-3 apart at most over several images.
    np.testing.assert_allclose(
        alphas[1], pymatting.estimate_alpha_knn(image, np.where(trimap == 255, 0.5, trimap)), atol=5e-3
    )


@pytest.mark.parametrize("kind", ["colour", "grey", "constant"])
@pytest.mark.parametrize("shape", [(9, 8), (1, 13), (2, 3), (24, 28)])
def test_the_laplacian_is_symmetric_and_annihilates_constants(kind, shape):
    image = scene(*shape)[0]
    if kind == "grey":
        image[:] = image[:, :, :1]
    elif kind == "constant":
        image[:] = 0.5
    laplacian = knn.knn_laplacian(image, SEARCHES)
    assert np.abs((laplacian - laplacian.T).toarray()).max() < 1e-12
    assert np.abs(laplacian.sum(axis=1)).max() < 1e-12


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (1, 9), (9, 2), (3, 3)])
def test_images_of_fewer_pixels_than_neighbours_work(shape):
    image = scene(*shape)[0]
    trimap = np.full(shape, 255, np.uint8)
    trimap[0, 0], trimap[-1, -1] = 0, 1
    assert_alphas(matte(image, trimap, [1], knn.solve, 1), trimap, [1])


def test_a_patch_of_a_colour_of_its_own_is_shared_evenly():
    image = np.full((40, 40, 3), 0.1)
    image[10:20, 10:20] = 0.9
    trimap = np.full((40, 40), 255, np.uint8)
    trimap[:3], trimap[-3:] = 0, 1
    alphas = matte(image, trimap, [1], knn.solve, 1)
    np.testing.assert_allclose(alphas[:, 10:20, 10:20], 0.5)
    assert alphas[0, 5, 5] > 0.6
    assert alphas[1, -5, 5] > 0.6


def test_two_sure_pixels_decide_a_large_flat_image():
    trimap = np.full((120, 90), 255, np.uint8)
    trimap[2, 2], trimap[-3, -3] = 0, 1
    alphas = matte(np.full((120, 90, 3), 0.5), trimap, [1], knn.solve, 1)
    assert_alphas(alphas, trimap, [1])
    np.testing.assert_allclose(alphas[0], alphas[1, ::-1, ::-1], atol=0.05)  # ties between neighbours are broken
    assert alphas[1, :8, :8].mean() < alphas[1, -8:, -8:].mean()


def test_without_pymatting_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymatting", None)
    with pytest.raises(UserError, match=r'mattes\.method knn needs pymatting: pip install "matlabel\[pymatting\]"'):
        knn.solve(*scene(), [1, 2])
