"""Likeness in the embedding, against all pairs of cells compared one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.mattes.likeness import likeness


def by_definition(embedding, sure, asked, neighbours, temperature):
    known = {}
    for value, y, x in np.argwhere(sure):
        known.setdefault(tuple(embedding[:, y, x].tolist()), np.zeros(len(sure)))[value] += 1
    result = np.zeros(sure.shape)
    for y, x in np.argwhere(asked):
        own = embedding[:, y, x].astype(float)
        distances = sorted((np.sum((own - other) ** 2), other) for other in known)[:neighbours]
        for squared, other in distances:
            share = known[other] / known[other].sum()
            result[:, y, x] += np.exp(-squared * (2 / 255) ** 2 / (2 * temperature)) * share / len(distances)
    return result


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    channels=st.integers(1, 8),
    values=st.integers(1, 3),
    share=st.sampled_from([0.02, 0.3, 0.9]),
    neighbours=st.integers(1, 12),
)
def test_it_is_the_mean_over_the_nearest_sure_embeddings(seed, channels, values, share, neighbours):
    random = np.random.default_rng(seed)
    embedding = random.integers(60, 200, (channels, 7, 9)).astype(np.uint8)
    sure = (random.random((values, 7, 9)) < share) & (random.random((7, 9)) < 0.6)
    asked = random.random((7, 9)) < 0.5
    found = likeness(embedding, sure, asked, neighbours, 0.3)
    # Where the last neighbours are equally near, which of them count is open; then only the sum is comparable.
    expected = by_definition(embedding, sure, asked, neighbours, 0.3)
    np.testing.assert_allclose(found.sum(axis=0), expected.sum(axis=0), atol=1e-12)
    if channels > 3:
        np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (found >= 0).all()
    assert (found.sum(axis=0) <= 1 + 1e-12).all()
    assert not found[:, ~asked].any()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), levels=st.sampled_from([2, 4, 200]))
def test_where_cells_lie_decides_nothing_even_among_equals(seed, levels):
    random = np.random.default_rng(seed)
    embedding = (random.integers(0, levels, (3, 6, 8)) * (240 // levels)).astype(np.uint8)
    sure, asked = random.random((2, 6, 8)) < 0.4, random.random((6, 8)) < 0.5
    order = random.permutation(48)
    moved = [planes.reshape(*planes.shape[:-2], 48)[..., order].reshape(planes.shape) for planes in (embedding, sure)]
    straight = likeness(embedding, sure, asked).reshape(2, 48)
    shuffled = likeness(*moved, asked.ravel()[order].reshape(6, 8)).reshape(2, 48)
    np.testing.assert_array_equal(shuffled, straight[:, order])


def test_what_resembles_nothing_sure_is_left_alone_and_a_twin_is_not():
    embedding = np.zeros((2, 1, 30), np.uint8)
    embedding[:, 0, 10:20], embedding[:, 0, 20:] = 10, 255
    sure, asked = np.zeros((2, 1, 30), bool), np.zeros((1, 30), bool)
    sure[0, 0, :10], sure[1, 0, 10:15] = True, True
    asked[0, 15:] = True
    found = likeness(embedding, sure, asked, neighbours=1)
    np.testing.assert_allclose(found[:, 0, 15:20], np.array([[0.0], [1.0]]).repeat(5, 1))
    assert found[:, 0, 20:].max() < 1e-6


@pytest.mark.parametrize(("sure", "asked"), [(False, True), (True, False)])
def test_nothing_sure_or_nothing_asked_is_no_likeness(sure, asked):
    embedding = np.full((4, 3, 3), 9, np.uint8)
    assert not likeness(embedding, np.full((2, 3, 3), sure), np.full((3, 3), asked)).any()
