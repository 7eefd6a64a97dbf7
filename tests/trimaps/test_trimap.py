import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from matlabel.artifacts.label_image import UNKNOWN
from matlabel.settings.trimaps import TrimapsSettings
from matlabel.trimaps.trimap import label_trimap


def activations(*planes):
    """Planes of classes; the background is the rest."""
    classes = np.stack([np.asarray(plane, np.float32) for plane in planes])
    return np.concatenate([1 - classes.sum(0, keepdims=True), classes])


def blob(size=40, value=0.9, rows=slice(5, 20), columns=slice(5, 20)):
    plane = np.zeros((size, size), np.float32)
    plane[rows, columns] = value
    return plane


def made(probabilities, classes=(1,), strokes=None, **changes):
    return label_trimap(probabilities, np.array(classes, np.uint8), TrimapsSettings(**changes), strokes)


def test_far_from_contours_the_winner_is_sure_and_near_them_nothing():
    trimap, enforced = made(activations(blob()), classes=(3,), contour=0.04)
    assert trimap[12, 12] == 3
    assert trimap[35, 35] == 0
    assert (trimap[5:20, 5:7] == UNKNOWN).all()
    assert (trimap[5:20, 3:5] == UNKNOWN).all()
    assert enforced == []


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.02, 0.05, 0.1]), st.sampled_from([0.3, 0.7, 0.99]))
def test_the_winner_is_believed_far_from_its_contours_however_weak_it_is_and_nowhere_near_them(seed, contour, level):
    random = np.random.default_rng(seed)
    planes = np.stack([ndimage.gaussian_filter(random.random((50, 60)), 5) for _ in range(3)]) ** 40
    probabilities = (planes / planes.sum(0)).astype(np.float32)
    levels = {"foreground": level, "background": level, "margin": 0}
    trimap, enforced = made(probabilities, (1, 2), contour=contour, **levels)
    winner = probabilities.argmax(0)
    reach = round(contour * np.hypot(50, 60))
    far = np.stack(
        [ndimage.binary_erosion(winner == k, np.ones((2 * reach + 1,) * 2), border_value=1) for k in range(3)]
    )
    for label in set(range(3)) - set(enforced):
        assert not (trimap[~far[label]] == label).any()
    if not enforced:
        known = [label for label in range(3) if (trimap == label).any()]
        np.testing.assert_array_equal(trimap != UNKNOWN, far[known].any(0))
        np.testing.assert_array_equal(trimap[far[known].any(0)], winner[far[known].any(0)])


def test_what_is_enforced_has_unknown_pixels_round_it():
    weak = np.full((60, 80), 0.2, np.float32)
    weak[20:40, 30:50] = 0.4
    trimap, enforced = made(activations(weak), contour=0.05, least_object=0.02, background=0.5)
    assert enforced == [1]
    sure = trimap == 1
    assert sure.sum() == 96
    near = ndimage.binary_dilation(sure, np.ones((11, 11))) & ~sure
    assert (trimap[near] == UNKNOWN).all()
    assert set(np.unique(trimap[~near & ~sure])) == {0}


def test_strokes_stand_in_the_trimap_and_what_is_drawn_unknown_stays_so():
    strokes = np.full((60, 80), -1, np.int16)
    strokes[50:53, 5:25], strokes[2:12, 60:75] = 1, UNKNOWN
    trimap, _ = made(activations(np.pad(blob(), ((0, 20), (0, 40)))), contour=0.03, strokes=strokes)
    assert (trimap[50:53, 5:25] == 1).all()
    assert (trimap[2:12, 60:75] == UNKNOWN).all()
    # Round a stroke there is something to decide.
    assert (trimap[48:50, 5:25] == UNKNOWN).all()
    assert trimap[40, 60] == 0


def test_a_class_without_a_sure_region_gets_its_best_pixels_and_is_counted():
    weak = activations(blob(), blob(value=0.3, rows=slice(25, 35), columns=slice(25, 35)))
    trimap, enforced = made(weak, classes=(1, 2), least_object=0.02, contour=0)
    assert enforced == [2]
    assert np.count_nonzero(trimap == 2) == 32
    assert (trimap[25:35, 25:35] == 2).sum() == 32


def test_an_object_that_is_short_of_sure_pixels_for_its_contours_alone_keeps_what_is_left():
    small = activations(blob(rows=slice(10, 19), columns=slice(10, 19)))
    trimap, enforced = made(small, least_object=0.04, contour=0.05)
    assert enforced == []
    assert np.count_nonzero(trimap == 1) == 9
    # Where nothing is left the pixels that lead most are sure, as ever.
    trimap, enforced = made(small, least_object=0.04, contour=0.1)
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


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.float32, (4, 7, 9), elements=st.floats(0, 1, width=32)),
    st.sampled_from([{}, {"contour": 0}, {"contour": 0.2}, {"least_object": 0.5, "least_background": 0.5}]),
)
def test_every_label_has_a_sure_region_whatever_the_activations(scores, changes):
    probabilities = scores / np.maximum(scores.sum(0), 1e-6)
    trimap, enforced = made(probabilities, classes=(2, 5, 9), **changes)
    assert {0, 2, 5, 9} <= set(np.unique(trimap).tolist()) <= {0, 2, 5, 9, UNKNOWN}
    assert set(enforced) <= {0, 2, 5, 9}


@pytest.mark.parametrize("setting", ["foreground", "margin"])
def test_stricter_levels_enforce_more(setting):
    random = np.random.default_rng(0)
    scores = ndimage.gaussian_filter(random.random((3, 60, 60)), (0, 5, 5)) ** 30
    probabilities = (scores / scores.sum(0)).astype(np.float32)
    enforced = [made(probabilities, (1, 2), **{setting: level})[1] for level in (0.0, 1.0)]
    assert len(enforced[0]) < len(enforced[1])
