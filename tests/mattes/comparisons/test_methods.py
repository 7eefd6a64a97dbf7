"""The dict of matting methods: what is in it, and a further one made as CONTRIBUTING.md says."""

from typing import get_args

import numpy as np
from scenes import assert_alphas, scene
from scipy import ndimage

from matlabel.mattes.comparisons import METHODS
from matlabel.mattes.methods import alphas_of
from matlabel.settings.mattes import WITHOUT_TRIMAP, MattesSettings


def test_every_choice_of_the_settings_is_a_method_and_every_method_a_choice():
    choices = set(get_args(MattesSettings.model_fields["method"].annotation))
    assert choices == {"closed_form", "none", *METHODS}
    assert set(WITHOUT_TRIMAP) <= choices


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
