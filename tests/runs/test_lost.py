"""What is lost comes back a stage at a time, where something stands that it would else run again."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matlabel.runs import Plan
from matlabel.runs.lost import first_lost
from matlabel.stages import STAGES, position


@pytest.fixture
def plan(animals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Plan(
        {
            "dataset": {"format": "folder", "path": str(animals), "shard_size": 6},
            "evaluation": {"splits": ["val"]},
            "predictions": {"splits": ["train", "val"]},
            "variants": {"a": {}, "b": {"trimaps": {"margin": 0.5}}},
        }
    )


def everything(plan):
    return [(stage, path) for stage in STAGES for path in plan.targets(stage)]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_stage_by_stage_all_that_was_made_is_asked_for_while_something_later_stands(plan, data):
    paths = everything(plan)
    missing = data.draw(st.sets(st.sampled_from(paths)))
    never = data.draw(st.sets(st.sampled_from(sorted(missing)))) if missing else set()
    for _, path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    for _, path in missing:
        Path(path).unlink()
    made, tried, order = {path for _, path in set(paths) - never}, [], []
    while found := first_lost(plan, made.__contains__, tried):
        stage, lost = found
        assert set(lost) == {path for of, path in missing - never if of == stage}
        for path in lost:
            Path(path).touch()
        tried.append(stage)
        order.append(position(stage))
    assert order == sorted(set(order))
    # What is left is never made, or all that comes after it is gone, too: a plain run makes that as well.
    left = [position(stage) for stage, path in missing - never if not Path(path).exists()]
    standing = [position(stage) for stage, path in paths if Path(path).exists()]
    assert not left or max(standing, default=-1) <= min(left)


def test_a_first_run_has_lost_nothing(plan):
    assert first_lost(plan, lambda path: False) is None


def test_results_deleted_altogether_are_made_in_one_run(plan):
    assert first_lost(plan, lambda path: True) is None


def test_what_does_not_come_back_is_not_asked_for_for_ever(plan):
    for _, path in everything(plan)[1:]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    assert first_lost(plan, lambda path: True, ["dataset"]) is None
