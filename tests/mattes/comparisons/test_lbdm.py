"""Learning-based matting against dense solves and pymatting's own estimate."""

import sys

import numpy as np
import pymatting
import pytest
from scenes import assert_alphas, scene

from matlabel.artifacts.errors import UserError
from matlabel.mattes.comparisons import lbdm
from matlabel.mattes.grid import matte


@pytest.mark.parametrize(("epsilon", "radius"), [(1e-7, 1), (1e-5, 2)])
def test_it_is_a_dense_solve_on_the_laplacian_of_pymatting(epsilon, radius):
    image, trimap = scene()
    laplacian = pymatting.lbdm_laplacian(image, epsilon, radius).toarray()
    unknown = trimap.ravel() == 255
    sure = np.stack([trimap.ravel() == value for value in (0, 1, 2)], axis=1).astype(float)
    right = -laplacian[unknown][:, ~unknown] @ sure[~unknown]
    oracle = np.maximum(np.linalg.solve(laplacian[np.ix_(unknown, unknown)], right), 0)
    oracle /= oracle.sum(axis=1, keepdims=True)
    alphas = lbdm.solve(image, trimap, [0, 1, 2], epsilon, radius).reshape(3, -1)
    np.testing.assert_allclose(alphas[:, unknown].T, oracle, atol=1e-5)
    np.testing.assert_array_equal(alphas[:, ~unknown].T, sure[~unknown])


def test_it_agrees_with_pymatting_whose_sure_pixels_are_soft():
    image = scene(40, 44)[0]
    trimap = np.full((40, 44), 255, np.uint8)
    trimap[:, :14], trimap[:, -14:] = 0, 1
    alphas = matte(image, trimap, [1], lbdm.solve, 1)
    # pymatting's constraints have a weight of 100, not infinity: 2.4e-3 apart at most over several images.
    np.testing.assert_allclose(
        alphas[1], pymatting.estimate_alpha_lbdm(image, np.where(trimap == 255, 0.5, trimap)), atol=5e-3
    )


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (1, 9), (9, 2), (3, 3)])
@pytest.mark.parametrize("radius", [1, 3])
def test_sides_shorter_than_a_window_work(shape, radius):
    image = scene(*shape)[0]
    trimap = np.full(shape, 255, np.uint8)
    trimap[0, 0], trimap[-1, -1] = 0, 1
    alphas = matte(image, trimap, [1], lambda *problem: lbdm.solve(*problem, radius=radius), 1)
    assert_alphas(alphas, trimap, [1])


def test_a_patch_of_a_colour_of_its_own_has_shares_and_not_rounding_errors():
    image = np.full((40, 40, 3), 0.1)
    image[10:20, 10:20] = 0.9  # its alpha is open: any is linear in the colour
    trimap = np.full((40, 40), 255, np.uint8)
    trimap[:3], trimap[-3:] = 0, 1
    alphas = matte(image, trimap, [1], lbdm.solve, 1)
    assert_alphas(alphas, trimap, [1])
    assert np.ptp(alphas[1, 11:19, 11:19]) < 0.2


@pytest.mark.parametrize("noise", [0.0, 0.002])
def test_two_sure_pixels_decide_a_large_flat_image(noise):
    image = 0.5 + noise * np.random.default_rng(0).random((120, 90, 3))
    trimap = np.full((120, 90), 255, np.uint8)
    trimap[2, 2], trimap[-3, -3] = 0, 1
    alphas = matte(image, trimap, [1], lbdm.solve, 1)
    assert_alphas(alphas, trimap, [1])
    assert alphas[1, :8, :8].mean() < alphas[1, -8:, -8:].mean()


def test_without_pymatting_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymatting", None)
    with pytest.raises(UserError, match=r'mattes\.method lbdm needs pymatting: pip install "matlabel\[pymatting\]"'):
        lbdm.solve(*scene(), [1, 2])
