import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.evaluation.confusion import confusion
from matlabel.evaluation.trimaps import trimap_scores

VOID = 255


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_shares_agree_with_counting_pixels(seed):
    generator = np.random.default_rng(seed)
    values = np.array([0, 1, 2, 3, VOID], np.uint8)
    truth, trimap = generator.choice(values, (12, 12)), generator.choice(values, (12, 12))
    scores = trimap_scores(confusion(truth, trimap, 3))
    true, sure = truth[truth != VOID], trimap[truth != VOID]

    objects = (sure > 0) & (sure != VOID)
    assert scores.object_precision == pytest.approx((sure == true)[objects].mean())
    assert scores.object_recall == pytest.approx((sure == true)[true > 0].mean())
    assert scores.background_precision == pytest.approx((true == 0)[sure == 0].mean())
    assert scores.unknown_share == pytest.approx((sure == VOID).mean())
    for value in range(4):
        assert scores.precision[value] == pytest.approx((true == value)[sure == value].mean())
        assert scores.recall[value] == pytest.approx((sure == value)[true == value].mean())
        assert scores.unknown[value] == pytest.approx((sure == VOID)[true == value].mean())


def test_a_wrong_object_class_is_not_a_sure_object_that_is_right():
    truth, trimap = np.array([[1, 1, 2]], np.uint8), np.array([[1, 2, 2]], np.uint8)
    assert trimap_scores(confusion(truth, trimap, 2)).object_precision == pytest.approx(2 / 3)


def test_what_is_not_there_is_nan():
    scores = trimap_scores(confusion(np.zeros((2, 2), np.uint8), np.full((2, 2), VOID, np.uint8), 2))
    assert np.isnan([scores.object_precision, scores.object_recall, scores.background_precision]).all()
    assert scores.unknown_share == 1
