"""Folds: every image in one, every class in all of them, whatever the order of the images."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matlabel.cam.held_out import folds

TAGS = st.integers(1, 60).flatmap(lambda count: arrays(np.int8, (count, 4), elements=st.integers(0, 1)))


@settings(max_examples=50, deadline=None)
@given(TAGS, st.integers(2, 10), st.randoms(use_true_random=False))
def test_folds_are_equal_parts_that_depend_on_no_order(tags, count, random):
    ids = [f"image-{number}" for number in range(len(tags))]
    found = folds(ids, tags, count, seed=0)
    assert ((found >= 0) & (found < count)).all()
    order = list(range(len(ids)))
    random.shuffle(order)
    again = folds([ids[place] for place in order], tags[order], count, seed=0)
    assert (again == found[order]).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=40, max_size=80), st.integers(2, 10))
def test_each_class_of_single_tags_is_dealt_evenly(labels, count):
    tags = np.eye(4)[labels]
    found = folds([str(number) for number in range(len(labels))], tags, count, seed=1)
    for label in set(labels):
        dealt = np.bincount(found[np.array(labels) == label], minlength=count)
        assert dealt.max() - dealt.min() <= 1


def test_another_seed_holds_out_others():
    tags = np.eye(2)[[0, 1] * 40]
    ids = [str(number) for number in range(80)]
    assert (folds(ids, tags, 10, seed=0) != folds(ids, tags, 10, seed=1)).any()
