"""Sampling: what is like which sure cells, against all pairs, and what it adds to the Laplacian."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import scene
from scipy import ndimage
from skimage.color import rgb2lab

from matlabel.mattes.closed_form import closed_form
from matlabel.mattes.data_terms import pull_of
from matlabel.mattes.downsample import area_mean, coarse_trimap
from matlabel.mattes.problem import Evidence, Problem
from matlabel.mattes.samples import FAR, NEIGHBOURS, UNLIKE, sampled


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
        closed_form(image, trimap, [1], scale=scale, epsilon=1e-4, evidence=Evidence(sampling=weight))
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


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_what_the_winner_settles_is_compared_with_as_well(scale):
    image, _ = spotted()
    trimap = np.full((128, 128), 255, np.uint8)
    # A few sure pixels each, far away and of another colour than their region's.
    trimap[:4, :4], trimap[:4, 124:] = 0, 1
    image[:4, :4], image[:4, 124:] = (180, 50, 50), (60, 140, 60)
    planes = np.zeros((2, 32, 32), np.uint8)
    planes[1, :, 20:], planes[0, :, :20] = 255, 255
    settled = pull_of(Problem.of(image, trimap, [1], Evidence(planes, contour=0.1, sampling=1.0)), scale)
    near = slice(32 // scale, 96 // scale), slice(84 // scale, 92 // scale)
    assert (settled.right[0][near] > 0.9 * settled.weight[near]).all()
    assert settled.weight[near].all()
    free = pull_of(Problem.of(image, trimap, [1], Evidence(sampling=1.0)), scale)
    assert (free.right[0][near] < 0.1 * free.weight[near]).all()


@pytest.mark.parametrize("scale", [1, 2, 4, "auto"])
def test_a_label_with_no_cell_to_be_compared_with_is_compared_on_a_finer_grid(scale):
    image = np.full((256, 256, 3), (60, 140, 60), np.uint8)
    image[100:160, 100:180] = (180, 50, 50)
    image += np.random.default_rng(0).integers(0, 9, image.shape, dtype=np.uint8)
    trimap = np.full((256, 256), 255, np.uint8)
    trimap[:40] = trimap[220:] = 0
    # A stroke in whose cells of four pixels there is sure background as well.
    trimap[129, 110:170], trimap[131, 110:170] = 1, 0
    alphas = closed_form(image, trimap, [1], scale=scale, epsilon=1e-4, evidence=Evidence(sampling=0.3))
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
    pull = pull_of(Problem.of(image, trimap, [1], Evidence(sampling=1.0)), grid)
    rows = pull.right[0, :, 200 // grid].repeat(grid)[:301]
    assert (rows[:280] < 0.5).all()
    assert (rows[280:284] > 0.5).all()


@pytest.mark.parametrize(("height", "width"), [(4, 4), (8, 8), (4, 12), (2, 20)])
@pytest.mark.parametrize(("y", "x"), [(146, 236), (104, 216), (190, 258)])
def test_a_small_stroke_corrects_a_whole_region(height, width, y, x):
    image = np.full((300, 400, 3), (60, 140, 60), np.uint8)
    image[60:240, 304:392] = image[100:200, 212:272] = (180, 50, 50)
    image += np.random.default_rng(0).integers(0, 9, image.shape, dtype=np.uint8)
    planes = np.zeros((2, 75, 100), np.uint8)
    planes[0] = 255
    # The object, and a region of its colour beside it that is none.
    planes[:, 15:60, 76:98], planes[:, 25:50, 53:68] = [[[0]], [[255]]], [[[0]], [[255]]]
    trimap = np.full((300, 400), 255, np.uint8)
    trimap[:, :150], trimap[70:230, 316:380] = 0, 1
    drawn = np.zeros((300, 400), bool)
    there = slice(y, y + height), slice(x, x + width)
    trimap[there], drawn[there] = 0, True
    evidence = Evidence(planes, 0.05, drawn=drawn, contour=0.025, sampling=0.3)
    alphas = closed_form(image, trimap, [1], epsilon=1e-4, evidence=evidence)
    assert (alphas[0, 100:200, 212:272] > 0.9).all()
    assert (alphas[1, 70:230, 310:380] > 0.5).all()
