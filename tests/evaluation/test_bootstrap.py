import numpy as np
import pytest

from matlabel.evaluation.bootstrap import interval
from matlabel.evaluation.confusion import mean_iou


def images(number, seed=0):
    generator = np.random.default_rng(seed)
    unions = generator.integers(50, 100, (number, 3))
    return (unions * generator.uniform(0.2, 0.9, (number, 3))).astype(np.int64), unions


def test_the_interval_holds_the_score_and_repeats():
    intersections, unions = images(40)
    low, high = interval(intersections, unions, 400)
    assert low < mean_iou(intersections.sum(axis=0), unions.sum(axis=0)) < high
    assert interval(intersections, unions, 400) == (low, high)


def test_the_interval_is_as_wide_as_the_normal_approximation_says():
    intersections, unions = images(400, seed=1)
    low, high = interval(intersections, unions, 1000)
    residuals = intersections / unions.mean(axis=0) - unions / unions.mean(axis=0) * (
        intersections.sum(axis=0) / unions.sum(axis=0)
    )
    error = residuals.mean(axis=1).std() / np.sqrt(400)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_more_images_narrow_the_interval():
    few, many = interval(*images(10), 300), interval(*images(1000), 300)
    assert many[1] - many[0] < few[1] - few[0]


def test_images_that_are_all_alike_leave_no_doubt():
    assert interval(np.full((5, 2), 3), np.full((5, 2), 4), 50) == (0.75, 0.75)


@pytest.mark.parametrize(("number", "resamples"), [(1, 100), (10, 0)])
def test_there_is_none_with_a_single_image_or_no_resamples(number, resamples):
    assert interval(*images(number), resamples) is None


def test_there_is_none_when_nothing_is_counted():
    assert interval(np.zeros((3, 2), np.int64), np.zeros((3, 2), np.int64), 10) is None
