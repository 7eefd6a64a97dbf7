"""The dict of matting methods: what is in it, what its solvers hold, and one more, made as CONTRIBUTING.md says."""

import warnings
from typing import get_args

import numpy as np
import pytest
from scenes import assert_alphas, scene
from scipy import ndimage

from matlabel.mattes.comparisons import METHODS, knn, lbdm, random_walk
from matlabel.mattes.grid import matte
from matlabel.mattes.methods import alphas_of
from matlabel.settings.mattes import WITHOUT_TRIMAP, MattesSettings


def test_every_choice_of_the_settings_is_a_method_and_every_method_a_choice():
    choices = set(get_args(MattesSettings.model_fields["method"].annotation))
    assert choices == {"closed_form", "none", *METHODS}
    assert set(WITHOUT_TRIMAP) <= choices


@pytest.mark.parametrize("solver", [knn, lbdm, random_walk])
@pytest.mark.parametrize("scale", [1, 2, "auto"])
@pytest.mark.parametrize("kind", ["colour", "grey", "constant", "two colours"])
def test_alphas_of_all_labels_sum_to_one_and_keep_what_is_sure(solver, scale, kind):
    image, trimap = scene(33, 30, (1, 2, 7))
    if kind == "grey":
        image[:] = image[:, :, :1]
    elif kind == "constant":
        image[:] = 0.5
    elif kind == "two colours":
        image = np.where(image[:, :, :1] > 0.5, image[0, 0], image[-1, -1])
    with warnings.catch_warnings(action="error"):
        assert_alphas(matte(image, trimap, [1, 2, 7], solver.solve, scale), trimap, [1, 2, 7])


@pytest.mark.parametrize("solver", [knn, lbdm, random_walk])
@pytest.mark.parametrize("background", [True, False])
def test_the_order_of_the_labels_only_orders_the_planes(solver, background):
    image, trimap = scene(33, 30, (1, 2, 7))
    if not background:
        trimap[trimap == 0] = 255
    one, other = (matte(image, trimap, order, solver.solve, 1) for order in ([1, 2, 7], [7, 1, 2]))
    np.testing.assert_allclose(one[[0, 3, 1, 2]], other, atol=1e-5)


def nearest(given, settings):
    """Each unknown pixel has the label of the known one that is nearest to it."""

    def solve(image, trimap, values):
        place = ndimage.distance_transform_edt(trimap == 255, return_distances=False, return_indices=True)
        return np.stack([trimap[tuple(place)] == value for value in values]).astype(float)

    return given.matted(solve, settings)


def test_a_further_method_is_a_function_and_a_line(monkeypatch):
    monkeypatch.setitem(METHODS, "nearest", nearest)
    image, trimap = scene(40, 44)
    # The name would stand in the settings' choice, too.
    settings = MattesSettings(scale=1).model_copy(update={"method": "nearest"})
    alphas = alphas_of(image, [1, 2], settings, trimap=trimap)
    assert_alphas(alphas, trimap, [1, 2])
    assert set(np.unique(alphas)) == {0, 1}
