"""Strokes: what they claim, what they deny, and that what is right stays as it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matlabel.settings.trimaps import TrimapsSettings
from matlabel.trimaps.strokes import correct, stroked_cells
from matlabel.trimaps.trimap import label_trimap

CLASSES = np.array([1, 2], np.uint8)
GREEN, RED, BLUE = (60, 140, 60), (180, 50, 50), (50, 60, 170)


def picture(*boxes, size=(120, 160)):
    """A green image with boxes of other colours, grained."""
    image = np.full((*size, 3), GREEN, np.int16)
    for colour, rows, columns in boxes:
        image[rows, columns] = colour
    return (image + np.random.default_rng(0).integers(0, 9, image.shape)).astype(np.uint8)


def believed(*boxes, size=(120, 160)):
    """Activations that are sure of the background, and of other planes in boxes."""
    planes = np.zeros((3, size[0] // 4, size[1] // 4), np.uint8)
    planes[0] = 255
    for plane, rows, columns in boxes:
        box = slice(rows.start // 4, rows.stop // 4), slice(columns.start // 4, columns.stop // 4)
        planes[(slice(None), *box)] = 0
        planes[(plane, *box)] = 255
    return planes


def drawn(*strokes, size=(120, 160)):
    found = np.full(size, -1, np.int16)
    for label, rows, columns in strokes:
        found[rows, columns] = label
    return found


def winner(planes):
    return np.array([0, *CLASSES])[planes.argmax(axis=0)].repeat(4, 0).repeat(4, 1)


OBJECT = slice(40, 80), slice(60, 100)


def test_a_stroke_in_sure_background_claims_the_object_that_it_lies_on():
    image = picture((RED, *OBJECT))
    found = winner(correct(believed(), image, drawn((1, slice(58, 61), slice(68, 92))), CLASSES))
    assert (found[44:76, 64:96] == 1).all()
    found[36:84, 56:104] = 0
    assert not found.any()


def test_a_stroke_does_not_claim_what_is_alike_and_far_away():
    image = picture((RED, slice(40, 60), slice(20, 40)), (RED, slice(40, 60), slice(120, 140)))
    found = winner(correct(believed(), image, drawn((1, slice(48, 51), slice(26, 34))), CLASSES))
    assert (found[44:56, 24:36] == 1).all()
    assert not found[:, 80:].any()


def test_a_stroke_of_background_takes_a_whole_region_away_and_leaves_another():
    image = picture((RED, slice(20, 60), slice(20, 60)), (BLUE, slice(60, 110), slice(90, 150)))
    planes = believed((1, slice(20, 60), slice(20, 60)), (1, slice(60, 108), slice(88, 148)))
    strokes = drawn((0, slice(80, 83), slice(110, 130)), (1, slice(40, 43), slice(30, 50)))
    found = winner(correct(planes, image, strokes, CLASSES))
    assert not found[:, 84:].any()
    assert (found[24:56, 24:56] == 1).all()


def test_of_a_region_that_covers_too_much_what_is_unlike_the_stroke_of_background_stays():
    image = picture((RED, slice(40, 80), slice(40, 80)), (BLUE, slice(40, 80), slice(80, 140)))
    planes = believed((1, slice(40, 80), slice(40, 140)))
    found = winner(correct(planes, image, drawn((0, slice(58, 61), slice(100, 120))), CLASSES))
    assert (found[44:76, 44:72] == 1).all()
    assert not found[44:76, 88:136].any()


def test_two_strokes_tell_two_classes_apart_that_were_taken_for_one():
    image = picture((RED, slice(20, 60), slice(40, 100)), (BLUE, slice(60, 100), slice(40, 100)))
    planes = believed((1, slice(20, 100), slice(40, 100)))
    strokes = drawn((1, slice(38, 41), slice(60, 80)), (2, slice(80, 83), slice(60, 80)))
    found = winner(correct(planes, image, strokes, CLASSES))
    assert (found[24:56, 44:96] == 1).all()
    assert (found[64:96, 44:96] == 2).all()


@settings(max_examples=20, deadline=None)
@given(arrays(np.uint8, (3, 8, 10)), arrays(np.int16, (30, 39), elements=st.sampled_from([-1] * 20 + [0, 1, 2, 255])))
def test_whatever_is_drawn_what_is_drawn_wins_and_planes_stay_shares(planes, strokes):
    image = np.random.default_rng(1).integers(0, 255, (30, 39, 3), np.uint8)
    planes[0] += planes.sum(0) == 0
    found = correct(planes, image, strokes, CLASSES)
    cells = stroked_cells(strokes, (8, 10))
    if found is not planes:
        assert np.abs(found.sum(axis=0, dtype=int) - 255).max() <= 2
        np.testing.assert_array_equal(np.array([0, 1, 2])[found.argmax(axis=0)][cells >= 0], cells[cells >= 0])
    trimap, _ = label_trimap(
        found.repeat(4, 1).repeat(4, 2)[:, :30, :39] / np.float32(255), CLASSES, TrimapsSettings(), strokes
    )
    np.testing.assert_array_equal(trimap[strokes >= 0], strokes[strokes >= 0])


@pytest.mark.parametrize("label", [0, 1])
def test_a_stroke_that_says_what_is_believed_changes_nothing(label):
    image = picture((RED, *OBJECT))
    planes = believed((1, *OBJECT))
    strokes = drawn((label, slice(58, 61), slice(68, 92)) if label else (0, slice(100, 103), slice(10, 60)))
    assert correct(planes, image, strokes, CLASSES) is planes


def test_the_same_strokes_give_the_same_bytes():
    image, strokes = picture((RED, *OBJECT)), drawn((1, slice(58, 61), slice(68, 92)))
    assert (
        correct(believed(), image, strokes, CLASSES).tobytes() == correct(believed(), image, strokes, CLASSES).tobytes()
    )


def test_a_large_picture_is_corrected_as_a_small_one_is():
    large = {"size": (840, 1120)}
    rows, columns = slice(280, 560), slice(420, 700)
    strokes = drawn((1, slice(410, 417), slice(476, 644)), **large)
    found = winner(correct(believed(**large), picture((RED, rows, columns), **large), strokes, CLASSES))
    assert (found[300:540, 440:680] == 1).all()
    found[264:576, 404:716] = 0
    assert not found.any()
