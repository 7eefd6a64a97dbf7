"""When the terms begin, how they grow, and what holds them back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.cam.check import Look
from matlabel.cam.choice import against_terms
from matlabel.cam.schedule import BEGIN, RAMP, Schedule

STEPS = 120


def look(loss):
    return Look(loss, 0.5, 0.1, 0.6, 0.3, 0.2)


def after(losses, begin=None):
    """A schedule that has seen these losses, ten steps apart."""
    schedule = Schedule(begin)
    for number, loss in enumerate(losses, 1):
        schedule.take(look(loss), 10 * number, STEPS)
    return schedule


def test_terms_begin_at_the_look_that_finds_tags_predicted_and_then_grow():
    schedule = after([1.1, 0.95])
    assert [schedule.share(step, STEPS) for step in (0, 50, STEPS - 1)] == [0, 0, 0]
    said = schedule.take(look(BEGIN - 0.01), 30, STEPS)
    assert "the terms begin" in said
    shares = [schedule.share(step, STEPS) for step in range(25, STEPS)]
    assert shares[:5] == [0] * 5
    assert shares == sorted(shares)
    assert shares[5] < 0.1
    assert shares[5 + int(RAMP * STEPS)] == shares[-1] == 1


def test_terms_that_are_told_when_to_begin_wait_for_nothing():
    assert Schedule(0).share(0, STEPS) > 0
    schedule = Schedule(40)
    assert schedule.share(39, STEPS) == 0
    assert schedule.share(40, STEPS) > 0


def test_terms_are_held_back_where_classification_gets_worse_and_come_back_where_it_is_well():
    schedule = after([0.5, 0.3])
    assert schedule.bound == 1
    assert "held back to 0.5" in schedule.take(look(0.5), 30, STEPS)
    assert "held back to 0.25" in schedule.take(look(0.6), 40, STEPS)
    assert schedule.share(STEPS - 1, STEPS) == 0.25
    assert "well again" in schedule.take(look(0.31), 50, STEPS)
    assert schedule.bound == 0.5
    assert schedule.held_back == 2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 3), max_size=12), st.none() | st.integers(0, 100))
def test_a_schedule_goes_on_from_its_state(losses, begin):
    first, second = after(losses, begin), Schedule(None)
    second.load_state_dict(first.state_dict())
    assert 0 < first.bound <= 1
    for loss in (0.2, 0.9, 0.2):
        assert first.take(look(loss), 130, STEPS) == second.take(look(loss), 130, STEPS)
        assert first.share(125, STEPS) == second.share(125, STEPS)
        assert against_terms(first, STEPS) == against_terms(second, STEPS)
    assert torch.equal(first.get_extra_state(), second.get_extra_state())


@pytest.mark.parametrize(
    ("losses", "reason"),
    [
        ([0.8, 0.5, 0.3], None),
        ([0.65, 0.5, 0.55], None),
        ([0.4, 0.45, 0.6, 0.5], "no better with the terms"),
        ([0.69, 0.2, 0.5, 0.6, 0.6], "held back"),
        ([1.0, 1.2, 0.95], None),
    ],
)
def test_tags_speak_against_terms_that_did_harm(losses, reason):
    found = against_terms(after(losses), STEPS)
    assert (found is None) == (reason is None)
    assert reason is None or reason in found


def test_terms_that_would_not_grow_up_any_more_do_not_begin_and_are_not_judged():
    late = Schedule(None)
    assert late.take(look(0.3), STEPS - 10, STEPS) is None
    assert late.began is None
    told = Schedule(STEPS - 10)
    told.take(look(0.3), STEPS - 10, STEPS)
    told.take(look(0.5), STEPS, STEPS)
    assert against_terms(told, STEPS) is None


def test_terms_that_began_unseen_are_known_to_have():
    assert after([0.5, 0.3], begin=0).unseen
    assert not after([0.5, 0.3]).unseen
    assert not after([0.5, 0.3], begin=10).unseen
