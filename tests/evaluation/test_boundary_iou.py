import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.morphology import dilation, footprint_rectangle
from skimage.segmentation import find_boundaries

from matlabel.evaluation.boundary import band_confusion, boundary_counts
from matlabel.evaluation.confusion import confusion, iou
from matlabel.pixels.contours import boundary_width, near_other

VOID = 255


def blocks(seed, shape=(30, 40), classes=3, void=True):
    generator = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint8)
    for value in [*range(1, classes + 1), *([VOID] if void else [])]:
        top, left = generator.integers(0, shape[0] - 4), generator.integers(0, shape[1] - 4)
        labels[top : top + generator.integers(2, 16), left : left + generator.integers(2, 20)] = value
    return labels


def inner_boundary(mask, width):
    """As the authors' code: the mask minus its erosion, by 3 x 3 `width` times, outside being 0."""
    return mask & ~ndimage.binary_erosion(mask, np.ones((3, 3)), iterations=width, border_value=0)


@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.02, 0.05, 0.1]))
@settings(max_examples=30, deadline=None)
def test_counts_agree_with_erosion_of_each_class(seed, share):
    truth, predicted = blocks(seed, void=False), blocks(seed + 1, void=False)
    width = boundary_width(truth.shape, share)
    intersection, union = boundary_counts(truth, predicted, 3, share, "wrong")
    for value in range(4):
        true, claimed = inner_boundary(truth == value, width), inner_boundary(predicted == value, width)
        assert intersection[value] == (true & claimed).sum()
        assert union[value] == (true | claimed).sum()


@pytest.mark.parametrize("policy", ["wrong", "skip"])
@pytest.mark.parametrize("seed", range(5))
def test_what_is_predicted_inside_true_void_changes_nothing_and_perfect_scores_one(seed, policy):
    truth = blocks(seed)
    values = iou(*boundary_counts(truth, np.where(truth == VOID, np.uint8(2), truth), 3, 0.02, policy))
    assert np.all((values == 1) | np.isnan(values))
    predicted = blocks(seed + 100)
    other = np.where(truth == VOID, np.uint8(1), predicted)
    for one, two in zip(
        boundary_counts(truth, predicted, 3, 0.02, policy), boundary_counts(truth, other, 3, 0.02, policy), strict=True
    ):
        assert np.array_equal(one, two)


def test_predicted_void_costs_with_wrong_and_not_with_skip():
    truth = blocks(3, void=False)
    predicted = truth.copy()
    predicted[:10] = VOID
    wrong, skip = (iou(*boundary_counts(truth, predicted, 3, 0.02, policy)) for policy in ("wrong", "skip"))
    assert wrong[0] < 1
    assert np.nanmin(skip) == 1


def test_the_width_is_a_share_of_the_diagonal_and_at_least_a_pixel():
    assert boundary_width((300, 400), 0.02) == 10
    assert boundary_width((3, 4), 0.02) == 1


@given(seed=st.integers(0, 10**6), band=st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_the_band_is_the_dilated_contour_without_void(seed, band):
    truth, predicted = blocks(seed), blocks(seed + 1)
    contour = find_boundaries(truth, connectivity=2, mode="thick")
    near = dilation(contour, footprint_rectangle((2 * band - 1, 2 * band - 1)))
    expected = confusion(truth[near], predicted[near], 3)
    assert np.array_equal(band_confusion(truth, predicted, 3, band), expected)


def test_the_frame_is_a_boundary_but_no_contour():
    flat = np.ones((9, 9), np.uint8)
    assert near_other(flat, 2, frame=True).sum() == 81 - 25
    assert not near_other(flat, 2, frame=False).any()
