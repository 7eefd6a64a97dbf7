"""Links to the current keys: always of the config at hand, and never over what is somebody else's."""

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snapshot import snapshot

from matlabel.artifacts.errors import UserError
from matlabel.runs import Plan
from matlabel.runs.links import set_links

CONFIGS = (
    {},
    {"trimaps": {"margin": 0.5}},
    {"segmenter": {"train": False}},
    {"labels": {"source": "masks"}, "seeds": [0, 3]},
    {"variants": {"default": {"mattes": {"method": "none"}}, "other": {}}},
)


@pytest.fixture
def plans(animals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = {"dataset": {"format": "folder", "path": str(animals)}, "evaluation": {"splits": ["val"]}}
    return [Plan({**data, **config}) for config in CONFIGS]


def leads(folder):
    """Stage -> where its link leads, as a path from the working directory."""
    return {link.name: os.path.normpath(folder / os.readlink(link)) for link in folder.iterdir()}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, len(CONFIGS) - 1), min_size=1, max_size=6))
def test_whoever_came_before_the_links_are_those_of_the_last(plans, tmp_path, order):
    for number in order:
        set_links(plans[number])
    plan = plans[order[-1]]
    for (variant, seed), keys in plan.chains.items():
        expected = {stage: plan.node(key).folder for stage, key in keys.items()} | {"report": plan.report.folder}
        found = leads(tmp_path / f"results/runs/{variant}/seed-{seed}")
        assert {stage: os.path.relpath(path) for stage, path in found.items()} == expected


def a_folder(place, mine):
    place.mkdir()
    (place / "notes.txt").write_text("mine")


def a_file(place, mine):
    place.write_text("mine")


def a_link_elsewhere(place, mine):
    place.symlink_to(mine)


def a_link_to_nothing(place, mine):
    place.symlink_to("gone/12345678")


@pytest.mark.parametrize("thing", [a_folder, a_file, a_link_elsewhere, a_link_to_nothing])
@pytest.mark.parametrize("stage", ["labels", "segmenter", "report"])
def test_what_is_not_ours_stays_and_is_named(plans, tmp_path, thing, stage):
    set_links(plans[0])
    (tmp_path / "mine").mkdir()
    place = tmp_path / "results/runs/default/seed-0" / stage
    place.unlink()
    thing(place, tmp_path / "mine")
    before = snapshot(tmp_path)
    # The third trains no segmenter: it would take the link away.
    for plan in (plans[1], plans[2]):
        with pytest.raises(UserError, match=f"results/runs/default/seed-0/{stage}: not a link that this workflow made"):
            set_links(plan)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("level", ["results/runs", "results/runs/default", "results/runs/default/seed-0"])
def test_no_link_is_followed_to_another_place(plans, tmp_path, level):
    set_links(plans[0])
    (tmp_path / level).rename(tmp_path / "mine")
    (tmp_path / level).symlink_to(tmp_path / "mine")
    before = snapshot(tmp_path)
    with pytest.raises(UserError, match=f"{level}: not a folder that this workflow made"):
        set_links(plans[1])
    assert snapshot(tmp_path) == before


def test_whoever_looks_while_links_change_sees_the_one_or_the_other(plans, tmp_path):
    first, second = plans[0], plans[1]
    set_links(first)
    link = tmp_path / "results/runs/default/seed-0/trimaps"
    watch = "import os, sys\nprint(flush=True)\nprint(*{os.readlink(sys.argv[1]) for _ in range(20_000)})"
    watcher = subprocess.Popen([sys.executable, "-c", watch, str(link)], stdout=subprocess.PIPE, text=True)
    watcher.stdout.readline()
    while watcher.poll() is None:
        set_links(second)
        set_links(first)
    seen = sorted(watcher.communicate()[0].split())
    assert seen == sorted(f"../../../trimaps/{plan.chains['default', 0]['trimaps']}" for plan in (first, second))
