"""Deleting leaves nothing that looks whole and is not, and stays where it belongs."""

import json
import os
import shutil
import time
from dataclasses import asdict, replace

import numpy as np
import pytest
from snapshot import snapshot

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.shard import write_shard
from matlabel.inspection.clean import Leftover, _folders, _links, _small, leftovers, remove
from matlabel.inspection.workflow import Workflow
from matlabel.runs.driver import Driver


@pytest.fixture
def folder(tmp_path):
    key = tmp_path / "results/labels/12345678"
    (key / "png/shard-00000").mkdir(parents=True)
    with write_shard(key / "shard-00000.h5", stage="labels", key=key.name, classes=["cat"], settings={}) as shard:
        shard.add("a", labels=np.zeros((2, 2), np.uint8))
    for name in ("shard-00000.h5.provenance.json", "png/shard-00000/a.png", "png/shard-00000/.snakemake_timestamp"):
        (key / name).write_text(name)
    return key


def leftover(path, what="artifacts"):
    return Leftover(path, what, 0, 0.0)


def test_a_folder_goes_with_all_that_is_in_it(tmp_path, folder):
    remove(leftover(folder), tmp_path)
    assert list(folder.parent.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["notes.txt", ".notes.tmp", "scores.json", "png/mine.png", "png/holiday/a.png", "png/shard-00000/b.png", "link"],
)
def test_a_folder_with_something_that_is_not_ours_stays_and_says_what(tmp_path, folder, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/photo.png").write_text("mine")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).symlink_to(tmp_path / "mine") if name == "link" else (folder / name).write_text("mine")
    before = snapshot(tmp_path)
    (kept,) = _folders(tmp_path / "results", set())
    assert (kept.what, kept.strangers) == ("kept", (name.split("/")[0],))
    with pytest.raises(UserError, match=r"is not matlabel's; move it elsewhere"):
        remove(leftover(folder), tmp_path)
    assert snapshot(tmp_path) == before


def test_temporary_files_are_found_wherever_a_killed_job_leaves_them(tmp_path, folder):
    results, old = tmp_path / "results", time.time() - 10_000
    names = (
        "labels/12345678/.shard-00001.h5.a1b2c3d4.tmp",
        "labels/12345678/.shard-00001.h5.provenance.json.a1b2c3d4.tmp",
        "labels/12345678/png/.shard-00001._bcdefgh.tmp/a.png",
        "cam/12345678/.checkpoint-fold-1.pt.a1b2c3d4.tmp",
        "dataset/12345678/.shapes-0123456789ab.a1b2c3d4/labels.csv",
        ".code/.labels-0123456789ab.a1b2c3d4.tmp",
    )
    mine = ("labels/12345678/.notes.a1b2c3d4.tmp", "labels/12345678/.hidden/a", ".code/.mine.a1b2c3d4.tmp")
    for name in names + mine:
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text("half")
        for path in ((results / name), (results / name).parent):
            os.utime(path, (old, old))
    kept = [results / f"{stage}/12345678" for stage in ("labels", "cam", "dataset")]
    found = {leftover.path.relative_to(results).as_posix() for leftover in _small(results, kept, set())}
    assert found == {name.removesuffix("/a.png").removesuffix("/labels.csv") for name in names}


def test_only_links_that_we_set_are_ours(tmp_path, folder):
    runs = tmp_path / "results/runs/default/seed-0"
    runs.mkdir(parents=True)
    (runs / "labels").symlink_to("../../../labels/00000000")  # leads nowhere
    (runs / ".mattes.4711").symlink_to("../../../mattes/00000000")  # of a killed driver
    (runs / "trimaps").symlink_to(tmp_path / "nowhere")
    (runs / "mine").symlink_to("../../../labels/00000000")
    (runs / "cam").symlink_to("../../../labels/00000000")
    found = {leftover.path.name for leftover in _links(tmp_path / "results", set())}
    assert found == {"labels", ".mattes.4711"}


def test_killed_half_way_it_leaves_no_folder_of_that_key(tmp_path, folder, monkeypatch):
    def killed(path):
        os.unlink(path / "shard-00000.h5")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            remove(leftover(folder), tmp_path)
    assert not folder.exists()
    (rest,) = folder.parent.iterdir()
    remove(leftover(rest), tmp_path)
    assert list(folder.parent.iterdir()) == []


def test_a_path_that_leads_out_of_results_is_refused(tmp_path, folder):
    outside = tmp_path / "labels/12345678"
    outside.mkdir(parents=True)
    shutil.rmtree(folder.parent)
    folder.parent.symlink_to(outside.parent)
    with pytest.raises(UserError, match="not below results/ any more"):
        remove(leftover(folder), tmp_path)
    assert outside.exists()


def test_what_is_gone_already_is_no_mistake(tmp_path, folder):
    shutil.rmtree(folder)
    remove(leftover(folder), tmp_path)


def test_a_link_goes_alone_and_takes_empty_folders_along(tmp_path, folder):
    link = tmp_path / "results/runs/default/seed-0/labels"
    link.parent.mkdir(parents=True)
    link.symlink_to(folder)
    remove(leftover(link, "link"), tmp_path)
    assert folder.exists()
    assert (tmp_path / "results/runs").exists()
    assert not (tmp_path / "results/runs/default").exists()


def test_nothing_goes_while_a_run_holds_the_folder(tmp_path, folder):
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.input.lock").write_text("")
    with pytest.raises(UserError, match="a run is going on"):
        remove(leftover(folder), tmp_path)
    assert (folder / "shard-00000.h5").exists()


@pytest.mark.parametrize(("executor", "says"), [("local", "another run is at work"), ("", "another run is starting")])
def test_nothing_goes_while_a_driver_lives_whose_lock_another_has_taken_away(tmp_path, folder, executor, says):
    record = asdict(replace(Driver.this_process(), executor=executor))
    (tmp_path / "results/.drivers").mkdir()
    (tmp_path / "results/.drivers/this.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match=says):
        leftovers([Workflow(tmp_path / "Snakefile", tmp_path)])
    with pytest.raises(UserError, match=says):
        remove(leftover(folder), tmp_path)
    assert (folder / "shard-00000.h5").exists()
