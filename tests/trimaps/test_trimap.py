import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from matlabel.pixels.small_regions import drop_small_regions
from matlabel.settings.trimaps import TrimapsSettings
from matlabel.trimaps.trimap import UNKNOWN, label_trimap, separate


def activations(*planes):
    """Planes of classes; the background is the rest."""
    classes = np.stack([np.asarray(plane, np.float32) for plane in planes])
    return np.concatenate([1 - classes.sum(0, keepdims=True), classes])


def blob(size=40, value=0.9, rows=slice(5, 20), columns=slice(5, 20)):
    plane = np.zeros((size, size), np.float32)
    plane[rows, columns] = value
    return plane


def made(probabilities, classes=(1,), **changes):
    return label_trimap(probabilities, np.array(classes, np.uint8), TrimapsSettings(**changes))


def test_what_wins_by_far_is_sure_and_the_border_is_unknown():
    trimap, enforced = made(activations(blob()), classes=(3,), band=2, contour=0)
    assert trimap[12, 12] == 3
    assert trimap[35, 35] == 0
    assert (trimap[5:20, 5:7] == UNKNOWN).all()
    assert (trimap[5:20, 3:5] == UNKNOWN).all()
    assert enforced == []


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.02, 0.05, 0.1]))
def test_nothing_is_sure_near_the_contours_of_the_winner_but_what_is_enforced(seed, contour):
    random = np.random.default_rng(seed)
    planes = np.stack([ndimage.gaussian_filter(random.random((50, 60)), 5) for _ in range(3)]) ** 40
    probabilities = (planes / planes.sum(0)).astype(np.float32)
    levels = {"foreground": 0.5, "background": 0.5, "margin": 0, "speck": 0, "band": 0}
    trimap, enforced = made(probabilities, (1, 2), contour=contour, **levels)
    winner = probabilities.argmax(0)
    reach = round(contour * np.hypot(50, 60))
    far = np.stack(
        [ndimage.binary_erosion(winner == k, np.ones((2 * reach + 1,) * 2), border_value=1) for k in range(3)]
    )
    for label in set(range(3)) - set(enforced):
        assert not (trimap[~far[label]] == label).any()
    if not enforced:
        np.testing.assert_array_equal(trimap != UNKNOWN, far.any(0) & (probabilities.max(0) >= 0.5))


def test_what_is_undecided_is_unknown():
    undecided = activations(blob(), blob(value=0.5, rows=slice(25, 38)))
    trimap, _ = made(undecided, classes=(1, 2))
    assert (trimap[27:36, 8:18] != 0).all()


def test_a_class_without_a_sure_region_gets_its_best_pixels_and_is_counted():
    weak = activations(blob(), blob(value=0.3, rows=slice(25, 35), columns=slice(25, 35)))
    trimap, enforced = made(weak, classes=(1, 2), least_object=0.02)
    assert enforced == [2]
    assert np.count_nonzero(trimap == 2) == 32
    assert (trimap[25:35, 25:35] == 2).sum() == 32


def test_an_object_that_is_short_of_sure_pixels_for_its_contours_alone_keeps_what_is_left():
    small = activations(blob(rows=slice(10, 19), columns=slice(10, 19)))
    trimap, enforced = made(small, least_object=0.04, contour=0.05, band=0)
    assert enforced == []
    assert np.count_nonzero(trimap == 1) == 9
    # Where nothing is left the pixels that lead most are sure, as ever.
    trimap, enforced = made(small, least_object=0.04, contour=0.1, band=0)
    assert enforced == [1]
    assert np.count_nonzero(trimap == 1) == 64


def test_the_background_is_enforced_too():
    trimap, enforced = made(activations(np.full((40, 40), 0.9)))
    assert enforced == [0]
    assert np.count_nonzero(trimap == 0) == 32


def test_an_image_without_tags_is_background():
    trimap, enforced = made(np.ones((1, 9, 9), np.float32), classes=())
    assert (trimap == 0).all()
    assert enforced == []


def test_specks_become_unknown():
    trimap = np.zeros((50, 50), np.uint8)
    trimap[10:30, 10:30], trimap[40, 40] = 1, 1
    drop_small_regions(trimap, 0.002)
    assert trimap[40, 40] == UNKNOWN
    assert trimap[20, 20] == 1


@settings(max_examples=25, deadline=None)
@given(arrays(np.uint8, (12, 14), elements=st.sampled_from([0, 1, 2, UNKNOWN])), st.integers(1, 3))
def test_different_sure_regions_are_further_apart_than_the_band(trimap, band):
    before = trimap.copy()
    separate(trimap, band)
    for value in (0, 1, 2):
        others = (before != value) & (before != UNKNOWN)
        near = ndimage.binary_dilation(others, np.ones((2 * band + 1,) * 2)) if others.any() else others
        np.testing.assert_array_equal(trimap == value, (before == value) & ~near)


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.float32, (4, 7, 9), elements=st.floats(0, 1, width=32)),
    st.sampled_from([{}, {"band": 0}, {"speck": 0.1, "band": 5}, {"least_object": 0.5, "least_background": 0.5}]),
)
def test_every_label_has_a_sure_region_whatever_the_activations(scores, changes):
    probabilities = scores / np.maximum(scores.sum(0), 1e-6)
    trimap, enforced = made(probabilities, classes=(2, 5, 9), **changes)
    assert {0, 2, 5, 9} <= set(np.unique(trimap).tolist()) <= {0, 2, 5, 9, UNKNOWN}
    assert set(enforced) <= {0, 2, 5, 9}


@pytest.mark.parametrize("setting", ["foreground", "margin", "background"])
def test_stricter_settings_leave_more_unknown(setting):
    random = np.random.default_rng(0)
    scores = ndimage.gaussian_filter(random.random((3, 60, 60)), (0, 5, 5)) ** 30
    probabilities = (scores / scores.sum(0)).astype(np.float32)
    unknown = [
        np.count_nonzero(made(probabilities, (1, 2), band=0, **{setting: level})[0] == UNKNOWN)
        for level in (0.2, 0.5, 0.9)
    ]
    assert unknown[0] <= unknown[1] <= unknown[2]
    assert unknown[0] < unknown[2]
