import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score

from matlabel.evaluation.confusion import confusion, counts, iou, mean_iou, pixel_accuracy, void_share

VOID = 255


def label_pair(seed, classes, void=True, shape=(9, 11)):
    generator = np.random.default_rng(seed)
    values = np.array([*range(classes + 1), *([VOID] if void else [])], np.uint8)
    return generator.choice(values, shape), generator.choice(values, shape)


@given(seed=st.integers(0, 10**6), classes=st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_scores_agree_with_scikit_learns(seed, classes):
    truth, predicted = label_pair(seed, classes, void=False)
    truth[0, :4] = VOID
    matrix = confusion(truth, predicted, classes)
    true, guess, labels = truth[truth != VOID], predicted[truth != VOID], list(range(classes + 1))

    assert np.array_equal(matrix[:, :-1], confusion_matrix(true, guess, labels=labels))
    assert not matrix[:, -1].any()
    intersection, union = counts(matrix, "wrong")
    expected = jaccard_score(true, guess, labels=labels, average=None, zero_division=0)
    np.testing.assert_allclose(iou(intersection, union)[union > 0], expected[union > 0])
    assert mean_iou(intersection, union) == pytest.approx(expected[union > 0].mean())
    assert pixel_accuracy(matrix, "wrong") == pytest.approx(accuracy_score(true, guess))


@given(seed=st.integers(0, 10**6), policy=st.sampled_from(["wrong", "skip"]))
@settings(max_examples=20, deadline=None)
def test_perfect_labels_score_one(seed, policy):
    truth, _ = label_pair(seed, 4)
    perfect = np.where(truth == VOID, np.uint8(2), truth)
    matrix = confusion(truth, perfect, 4)
    assert mean_iou(*counts(matrix, policy)) == 1
    assert pixel_accuracy(matrix, policy) == 1
    assert void_share(matrix) == 0


def test_true_void_never_counts():
    truth, predicted = label_pair(0, 3)
    before = confusion(truth, predicted, 3)
    predicted[truth == VOID] = 3
    assert np.array_equal(before, confusion(truth, predicted, 3))


def test_predicted_void_is_wrong_or_skipped_as_the_policy_says():
    truth = np.array([[1, 1, 1, 1, 0, 0]], np.uint8)
    predicted = np.array([[1, 1, 255, 255, 0, 1]], np.uint8)
    matrix = confusion(truth, predicted, 1)
    assert iou(*counts(matrix, "wrong")).tolist() == [1 / 2, 2 / 5]
    assert iou(*counts(matrix, "skip")).tolist() == [1 / 2, 2 / 3]
    assert pixel_accuracy(matrix, "wrong") == 3 / 6
    assert pixel_accuracy(matrix, "skip") == 3 / 4
    assert void_share(matrix) == 2 / 6


def test_a_class_in_neither_truth_nor_prediction_is_left_out_of_the_mean():
    truth, predicted = np.zeros((2, 2), np.uint8), np.array([[0, 0], [0, 2]], np.uint8)
    assert mean_iou(*counts(confusion(truth, predicted, 3), "wrong")) == (3 / 4 + 0) / 2


def test_nothing_to_count_gives_nan():
    void = np.full((2, 2), VOID, np.uint8)
    matrix = confusion(void, void, 2)
    assert np.isnan(mean_iou(*counts(matrix, "wrong")))
    assert np.isnan(pixel_accuracy(matrix, "wrong"))
    assert np.isnan(void_share(matrix))


def test_the_most_classes_there_can_be_keep_void_apart():
    truth = np.array([[254, 254, 0]], np.uint8)
    matrix = confusion(truth, np.array([[254, 255, 255]], np.uint8), 254)
    assert (matrix[254, 254], matrix[254, 255], matrix[0, 255], matrix.sum()) == (1, 1, 1, 3)


@pytest.mark.parametrize(("truth", "predicted"), [([[5]], [[0]]), ([[0]], [[5]])])
def test_a_label_beyond_the_classes_is_refused(truth, predicted):
    with pytest.raises(ValueError, match="0 to 4"):
        confusion(np.array(truth, np.uint8), np.array(predicted, np.uint8), 4)


def test_labels_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="truth is"):
        confusion(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), 1)
