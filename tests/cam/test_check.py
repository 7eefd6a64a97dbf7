"""What tags say of a classifier: against scikit-learn, and on maps made by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from matlabel.cam.check import look_at, mean_average_precision, relative_loss, shuffled_average_precision

SIZE = 8


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.booleans())
def test_average_precision_is_that_of_scikit_learn(seed, count, ties):
    random = np.random.default_rng(seed)
    scores = random.normal(size=(count, 3)).astype(np.float32)
    scores = np.round(scores) if ties else scores
    tags = random.integers(0, 2, (count, 3))
    tags[0], tags[1] = 1, 0
    assert mean_average_precision(scores, tags) == pytest.approx(average_precision_score(tags, scores), abs=1e-5)


def test_a_class_that_all_or_none_have_says_nothing_of_a_ranking():
    scores = np.array([[0.9, 0.1, 0.2], [0.8, 0.3, 0.1], [0.1, 0.2, 0.3]])
    tags = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 0]])
    assert mean_average_precision(scores, tags) == 1
    assert mean_average_precision(scores, 1 - tags[:, 1:]) == 0


def test_the_loss_is_one_for_frequencies_and_small_for_the_truth():
    tags = np.eye(4, dtype=np.float32).repeat(3, axis=0)
    frequency = tags.mean(0)
    known = np.log(frequency / (1 - frequency))[None].repeat(len(tags), axis=0)
    assert relative_loss(known, tags, frequency) == pytest.approx(1)
    assert relative_loss(20 * (tags - 0.5), tags, frequency) < 1e-3
    assert relative_loss(1000 * (0.5 - tags), tags, frequency) > 10
    assert np.isfinite(relative_loss(1000 * (0.5 - tags), tags, frequency))


def test_shuffled_tags_are_predicted_as_often_as_they_occur():
    random = np.random.default_rng(0)
    tags = (random.random((400, 2)) < [0.2, 0.6]).astype(int)
    mean, deviation = shuffled_average_precision(tags + 0.1 * random.normal(size=tags.shape), tags)
    assert mean == pytest.approx(0.4, abs=0.03)
    assert 0 < deviation < 0.05


def scene(known):
    """Twelve images of one of three classes: each has its own place, and its map says so if it is known."""
    tags = torch.eye(3).repeat(4, 1)
    maps = torch.full((12, 3, SIZE, SIZE), -1.0)
    for number in range(12):
        label = number % 3 if known else 0
        maps[number, label, 2 * label : 2 * label + 2] = 5.0
    return maps, tags


def test_maps_that_know_their_tags_are_sure_of_them_and_not_of_others():
    maps, tags = scene(known=True)
    look = look_at(maps, tags, tags.numpy().mean(0))
    assert look.without_region == 0
    assert look.without_region_shuffled > 0.5
    assert look.cover == pytest.approx(0.25)
    assert look.cover > look.cover_shuffled
    assert look.mean_ap == 1


def test_maps_that_say_the_same_of_all_images_are_as_sure_of_wrong_tags():
    maps, tags = scene(known=False)
    look = look_at(maps, tags, tags.numpy().mean(0))
    assert look.without_region == pytest.approx(look.without_region_shuffled)
    assert look.cover == pytest.approx(look.cover_shuffled)
    assert look.mean_ap < 0.5


def test_images_without_tags_say_nothing_of_regions():
    look = look_at(torch.zeros(4, 2, SIZE, SIZE), torch.zeros(4, 2), np.array([0.5, 0.5]))
    assert look.mean_ap == look.without_region == look.cover == 0
