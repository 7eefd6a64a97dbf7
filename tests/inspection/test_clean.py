"""Deleting leaves nothing that looks whole and is not, and stays where it belongs."""

import os
import shutil

import pytest

from matlabel.artifacts.errors import UserError
from matlabel.inspection.clean import Leftover, remove


@pytest.fixture
def folder(tmp_path):
    key = tmp_path / "results/labels/12345678"
    (key / "png/shard-00000").mkdir(parents=True)
    for name in ("shard-00000.h5", "shard-00000.h5.provenance.json", "png/shard-00000/a.png"):
        (key / name).write_text(name)
    return key


def leftover(path, what="artifacts"):
    return Leftover(path, what, 0, 0.0)


def test_a_folder_goes_with_all_that_is_in_it_and_no_link_is_followed(tmp_path, folder):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/photo.png").write_text("mine")
    (folder / "link").symlink_to(tmp_path / "mine")
    remove(leftover(folder), tmp_path)
    assert list(folder.parent.iterdir()) == []
    assert (tmp_path / "mine/photo.png").exists()


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
