from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.evaluation.confusion import confusion, counts, mean_iou
from matlabel.evaluation.seed import ThresholdSweep, best_threshold, enlarged, winners

VOID = 255


def random_image(seed, classes=4):
    generator = np.random.default_rng(seed)
    height, width = generator.integers(1, 30, 2)
    tags = np.sort(generator.choice(np.arange(1, classes + 1), generator.integers(0, classes + 1), replace=False))
    h, w = -(-height // 4), -(-width // 4)
    planes = generator.integers(0, 256, (len(tags) + 1, h, w)).astype(np.uint8)
    truth = generator.choice(np.array([0, *range(1, classes + 1), VOID], np.uint8), (height, width))
    return truth, tags.astype(np.uint8), planes


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_enlarging_agrees_with_torch(seed):
    truth, _, planes = random_image(seed)
    expected = torch.nn.functional.interpolate(
        torch.tensor(planes[None].astype(np.float64)), size=truth.shape, mode="bilinear", align_corners=False
    )[0].numpy()
    found = np.stack([plane / whole for plane, whole in enlarged(planes, truth.shape)])
    np.testing.assert_allclose(found, expected, atol=1e-9)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_the_sweep_agrees_with_labelling_at_every_threshold(seed):
    sweep = ThresholdSweep(4)
    images = [random_image(seed + number) for number in range(3)]
    for truth, tags, planes in images:
        objects, level, _ = winners(planes, tags, truth.shape)
        sweep.add(truth, objects, level)
    intersections, unions = sweep.counts()
    for t in (0, 1, 77, 128, 200, 254, 255):
        matrix = np.zeros((5, 6), np.int64)
        for truth, tags, planes in images:
            labels = np.zeros(truth.shape, np.uint8)
            if len(tags):
                exact = list(enlarged(planes, truth.shape))[1:]
                values = np.stack([plane for plane, _ in exact])
                reaches = values.max(axis=0) >= t * exact[0][1]
                labels = np.where(reaches, tags[values.argmax(axis=0)], 0).astype(np.uint8)
            matrix += confusion(truth, labels, 4)
        intersection, union = counts(matrix, "wrong")
        assert np.array_equal(intersections[t], intersection)
        assert np.array_equal(unions[t], union)
        np.testing.assert_allclose(sweep.curve()[t], mean_iou(intersection, union))


def test_a_constant_map_reaches_exactly_its_own_threshold():
    planes = np.array([np.full((25, 33), 155), np.full((25, 33), 100)], np.uint8)
    objects, level, winner = winners(planes, np.array([3], np.uint8), (97, 131))
    assert (np.unique(objects), np.unique(level), np.unique(winner)) == (3, 100, 0)


def test_interpolated_values_are_exact_fractions():
    plane, whole = next(enlarged(np.array([[[0, 255]]], np.uint8), (1, 5)))
    places = [
        max(Fraction(0), min(Fraction(1), Fraction(2 * x + 1, 2) * Fraction(2, 5) - Fraction(1, 2))) for x in range(5)
    ]
    assert [Fraction(int(value), whole) for value in plane[0]] == [255 * place for place in places]


def test_between_equals_the_background_wins_and_then_the_lower_class():
    planes = np.full((3, 1, 1), 85, np.uint8)
    objects, _, winner = winners(planes, np.array([2, 5], np.uint8), (2, 2))
    assert (objects == 2).all()
    assert (winner == 0).all()


def test_an_image_without_tags_is_background_at_every_threshold():
    truth = np.array([[0, 1], [0, VOID]], np.uint8)
    objects, level, winner = winners(np.full((1, 1, 1), 255, np.uint8), np.zeros(0, np.uint8), (2, 2))
    sweep = ThresholdSweep(2)
    sweep.add(truth, objects, level)
    assert not winner.any()
    np.testing.assert_allclose(sweep.curve(), (2 / 3 + 0) / 2)


def test_the_best_threshold_is_the_lowest_of_equals_and_none_without_images():
    curve = np.full(256, 0.2)
    curve[[90, 100]] = 0.5
    assert best_threshold(curve) == 90
    assert best_threshold(ThresholdSweep(3).curve()) is None


def test_the_largest_number_of_classes_fits():
    sweep = ThresholdSweep(254)
    sweep.add(np.full((2, 2), 254, np.uint8), np.full((2, 2), 254, np.uint8), np.full((2, 2), 128, np.uint8))
    curve = sweep.curve()
    assert (curve[128], curve[129]) == (1, pytest.approx(0))
