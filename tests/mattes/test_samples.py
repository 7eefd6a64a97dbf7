"""Sampling: what is like which sure cells, against all pairs, and what it adds to the Laplacian."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import scene
from scipy import ndimage
from skimage.color import rgb2lab

from matlabel.mattes.closed_form import closed_form
from matlabel.mattes.data_terms import data_term
from matlabel.mattes.downsample import coarse_trimap
from matlabel.mattes.problem import DataTerms, Problem
from matlabel.mattes.samples import FAR, NEIGHBOURS, UNLIKE, sampled
from matlabel.pixels.cells import area_mean


def of_all_pairs(image, coarse, scale, values):
    """The formula, with every sure cell looked at."""
    colour = ndimage.gaussian_filter(rgb2lab(area_mean(image, scale)), (0.5, 0.5, 0))
    diagonal, shares = np.hypot(*coarse.shape), np.zeros((len(values), *coarse.shape))
    sure = np.argwhere(coarse != 255)
    for cell in np.argwhere(coarse == 255):
        unlike = ((colour[tuple(cell)] - colour[tuple(sure.T)]) ** 2).sum(axis=1) / UNLIKE**2
        far = ((cell - sure) ** 2).sum(axis=1) / (FAR * diagonal) ** 2
        nearest = np.argsort(unlike + far)[:NEIGHBOURS]
        # Of the exponents only differences matter.
        weight = np.exp(-((unlike + far)[nearest] - (unlike + far).min()) / 2)
        for plane, value in enumerate(values):
            shares[plane][tuple(cell)] = weight[coarse[tuple(sure[nearest].T)] == value].sum() / weight.sum()
    return shares


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(2, 30), st.integers(1, 3), st.sampled_from([1, 2, 4, 8]), st.integers(0, 10_000))
def test_it_is_the_formula_over_all_pairs(height, width, count, scale, seed):
    labels = [3 * k + 2 for k in range(count)]
    image, trimap = scene(height, width, labels, seed)
    coarse = coarse_trimap(trimap, scale)
    values = [value for value in (0, *labels) if (coarse == value).any()]
    found = sampled(image, coarse, scale, values)
    assert not found[:, coarse != 255].any()
    if values:
        np.testing.assert_allclose(found, of_all_pairs(image, coarse, scale, values), atol=1e-9)
        np.testing.assert_allclose(found.sum(axis=0), coarse == 255)
    else:
        assert not found.any()


def spotted():
    """A red object with a red spot off it; all round both is green, and the spot and what surrounds it is unknown."""
    image = np.full((128, 128, 3), (60, 140, 60), np.uint8)
    image[:, 80:] = image[48:64, 56:68] = (180, 50, 50)
    image += np.random.default_rng(0).integers(0, 9, image.shape, dtype=np.uint8)
    trimap = np.full((128, 128), 255, np.uint8)
    trimap[:, :40], trimap[:, 92:] = 0, 1
    return image, trimap


@pytest.mark.parametrize("scale", [1, 2, 4, "auto"])
def test_what_an_edge_cuts_off_goes_to_the_sure_pixels_of_its_colour(scale):
    image, trimap = spotted()
    alone, beside = (
        closed_form(image, trimap, [1], scale=scale, epsilon=1e-4, terms=DataTerms(samples_weight=weight))
        for weight in (0.0, 0.3)
    )
    assert (alone[1, 50:62, 58:66] < 0.7).all()
    assert (beside[1, 50:62, 58:66] > 0.9).all()
    assert (beside[0, 80:, 48:72] > 0.9).all()


def test_of_the_same_colour_the_near_ones_count():
    image = np.full((8, 80, 3), 90, np.uint8)
    coarse = np.full((8, 80), 255, np.uint8)
    coarse[:, :4], coarse[:, 76:] = 0, 1
    background, label = sampled(image, coarse, 1, [0, 1])
    assert (background[:, 4:30] > 0.9).all()
    assert (label[:, 50:76] > 0.9).all()


@pytest.mark.parametrize("scale", [1, 2, 4, "auto"])
def test_a_label_with_no_cell_to_be_compared_with_is_compared_on_a_finer_grid(scale):
    image = np.full((256, 256, 3), (60, 140, 60), np.uint8)
    image[100:160, 100:180] = (180, 50, 50)
    image += np.random.default_rng(0).integers(0, 9, image.shape, dtype=np.uint8)
    trimap = np.full((256, 256), 255, np.uint8)
    trimap[:40] = trimap[220:] = 0
    # A stroke in whose cells of four pixels there is sure background as well.
    trimap[129, 110:170], trimap[131, 110:170] = 1, 0
    alphas = closed_form(image, trimap, [1], scale=scale, epsilon=1e-4, terms=DataTerms(samples_weight=0.3))
    # That above the stroke, for below it the background's seals it off.
    assert (alphas[1, 102:126, 104:176] > 0.5).mean() > 0.9
    assert (alphas[1, :96] < 0.5).all()


@pytest.mark.parametrize("grid", [1, 2, 4])
def test_what_a_cell_is_like_lies_where_the_cell_lies(grid):
    # A side that is no multiple of four: the last cells are cut off.
    image = np.full((301, 300, 3), 60, np.uint8)
    image[280:] = 200
    trimap = np.full((301, 300), 255, np.uint8)
    trimap[:270, :20], trimap[290:, :20] = 0, 1
    term = data_term(Problem.of(image, trimap, [1], DataTerms(samples_weight=1.0)), grid)
    rows = term.right[0, :, 200 // grid].repeat(grid)[:301]
    assert (rows[:280] < 0.5).all()
    assert (rows[280:284] > 0.5).all()
