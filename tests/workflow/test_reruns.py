"""Rows of the rerun matrix for real: the jobs that ran, and an end that is that of a run from scratch."""

import shutil
import signal

import pytest
from test_matrix import HELD_OUT, added, following, masked, replaced, tagged
from tiny import TINY, Run, clone

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def moved(finished, tmp_path_factory):
    """The finished run in another place, of another checkout."""
    return finished.moved(tmp_path_factory.mktemp("moved"), clone(tmp_path_factory.mktemp("checkout")))


def edit(path):
    path.write_text(path.read_text() + "# edited\n")


def test_changes_run_what_they_concern_and_end_where_a_fresh_run_does(moved, tmp_path):
    assert moved.ran() == {}

    replaced(moved.folder)
    assert moved.ran() == HELD_OUT

    added(moved.folder)
    tagged(moved.folder)
    assert moved.ran() == HELD_OUT

    masked(moved.folder)
    assert moved.ran() == {"evaluation": 1, "report": 1}

    # What is lost comes back with the same bytes, and what was made of it stays.
    next((moved.folder / "results/labels").glob("*/shard-00002.h5")).unlink()
    shutil.rmtree(next((moved.folder / "results/labels").glob("*/png/shard-00000")))
    assert moved.ran() == {"labels": 2}

    edit(moved.checkout / "matlabel/evaluation/boundary.py")
    assert moved.ran() == following("evaluation")
    assert moved.ran() == {}

    # Slots are given in the order in which images came, which a fresh run can know from order.csv alone.
    fresh = Run(tmp_path, moved.checkout)
    shutil.copytree(moved.folder / "animals", tmp_path / "animals")
    order = next((moved.folder / "results/dataset").glob("*/order.csv"))
    (tmp_path / order.relative_to(moved.folder)).parent.mkdir(parents=True)
    shutil.copy(order, tmp_path / order.relative_to(moved.folder))
    fresh.snakemake()
    expected, found = fresh.artifacts(), moved.artifacts()
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []


def test_a_source_edited_while_its_stage_runs_leaves_what_is_seen_as_stale(moved):
    source = moved.checkout / "matlabel/labels/label.py"
    moved.config({**TINY, "labels": {"margin": 0.2}, "segmenter": {**TINY["segmenter"], "train": False}})
    process = moved.start("all_labels")
    for line in process.stdout:
        if line.startswith(("rule labels", "localrule labels")):
            break
    edit(source)
    process.communicate()
    assert process.returncode == 0
    assert moved.planned("all_labels") == {"labels": 3}


def test_a_look_while_a_run_is_going_on_changes_nothing(moved):
    moved.config({**TINY, "trimaps": {"margin": 0.35}})
    process = moved.start()
    for line in process.stdout:
        if line.startswith(("rule trimaps", "localrule trimaps")):
            break
    # Its jobs go on and no more are started, however long the looks take.
    process.send_signal(signal.SIGSTOP)
    try:
        before = {path: path.stat().st_mtime_ns for path in (moved.folder / "results").rglob("settings.yaml")}
        assert "another run is at work" in moved.snakemake(fails=True)
        assert set(moved.planned()) <= set(following("trimaps"))
        status = moved.matlabel("status", "-s", moved.checkout / "Snakefile", "--configfile", "tiny.yaml")
        assert "A run is going on here" in status
        assert "in a good condition" in moved.snakemake("--lint")
    finally:
        process.send_signal(signal.SIGCONT)
    rest = process.communicate()[0]
    assert process.returncode == 0, rest
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert moved.planned() == {}
