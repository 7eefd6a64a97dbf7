"""Balanced sampling: how often an epoch shows an image, and that off is off."""

from collections import Counter

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.cam.balance import balanced_order

TAGS = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=60)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@settings(deadline=None)
@given(TAGS, st.integers(0, 9))
def test_without_balance_an_epoch_is_the_permutation_of_its_seed(rows, seed):
    order = balanced_order(torch.tensor(rows), 0.0, seeded(seed))
    assert order == torch.randperm(len(rows), generator=seeded(seed)).tolist()


@settings(deadline=None)
@given(TAGS, st.floats(0, 1), st.integers(0, 9))
def test_images_and_tag_sets_are_drawn_as_often_as_their_weight_says(rows, balance, seed):
    drawn = Counter(number % len(rows) for number in balanced_order(torch.tensor(rows), balance, seeded(seed)))
    assert drawn.total() == len(rows)
    size = Counter(rows)
    weight = [(len(rows) / size[row]) ** balance for row in rows]
    expected = [len(rows) * w / sum(weight) for w in weight]
    assert all(abs(drawn[image] - expected[image]) < 1 + 1e-9 for image in range(len(rows)))
    for tag_set in size:
        images = [image for image, row in enumerate(rows) if row == tag_set]
        assert abs(sum(drawn[image] - expected[image] for image in images)) < 1 + 1e-9


def test_full_balance_draws_each_tag_set_equally_often():
    rows = [(1, 0)] * 2 + [(0, 1)] * 9 + [(1, 1)] * 49
    order = balanced_order(torch.tensor(rows), 1.0, seeded(0))
    assert Counter(rows[number % len(rows)] for number in order) == {(1, 0): 20, (0, 1): 20, (1, 1): 20}


@settings(deadline=None)
@given(TAGS, st.floats(0, 1), st.integers(0, 9))
def test_draws_of_an_image_are_numbered_without_gap(rows, balance, seed):
    order = balanced_order(torch.tensor(rows), balance, seeded(seed))
    draws = Counter(number % len(rows) for number in order)
    assert sorted(order) == sorted(image + d * len(rows) for image, count in draws.items() for d in range(count))


def test_draws_of_an_image_are_spread_over_the_epoch():
    order = balanced_order(torch.tensor([(1, 0)] + [(0, 1)] * 99), 1.0, seeded(0))
    places = [place for place, number in enumerate(order) if number % 100 == 0]
    assert len(places) == 50
    assert min(places) < 10
    assert max(places) > 89


def test_the_order_depends_on_the_generator_alone():
    rows = torch.randint(0, 2, (40, 3), generator=seeded(0))
    assert balanced_order(rows, 0.7, seeded(1)) == balanced_order(rows, 0.7, seeded(1))
    assert balanced_order(rows, 0.7, seeded(1)) != balanced_order(rows, 0.7, seeded(2))
