"""A linked copy reads as the folder does, and nothing that happens in it happens there."""

from pathlib import Path

from snapshot import snapshot

from matlabel.artifacts.atomic import write_text
from matlabel.runs.linked_copy import linked_copy


def test_what_is_written_replaced_or_deleted_in_a_copy_leaves_the_folder_as_it_was(tmp_path):
    key = tmp_path / "results/cam/12345678"
    key.mkdir(parents=True)
    (key / "model.safetensors").write_text("weights")
    (key / ".lock.3").write_text("")
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.png").write_text("a")
    before = snapshot(tmp_path)
    with linked_copy(tmp_path, {}):
        assert Path("images/a.png").read_text() == "a"
        assert Path("results/cam/12345678/model.safetensors").read_text() == "weights"
        write_text("results/cam/12345678/model.safetensors", "other")
        write_text("results/cam/12345678/settings.yaml", "new")
        write_text("results/cam/87654321/settings.yaml", "new")
        write_text(".snakemake/locks/0.input.lock", "")
        Path("results/cam/12345678/.lock").write_text("held")
        assert Path("results/cam/12345678/model.safetensors").read_text() == "other"
    assert Path.cwd() != tmp_path
    assert snapshot(tmp_path) == before


def test_times_are_those_of_the_folder(tmp_path):
    file = tmp_path / "results/cam/12345678/model.safetensors"
    file.parent.mkdir(parents=True)
    file.write_text("weights")
    with linked_copy(tmp_path, {}):
        assert Path("results/cam/12345678/model.safetensors").lstat().st_mtime_ns == file.stat().st_mtime_ns


def test_a_path_that_leads_upwards_leads_to_the_same_file(tmp_path):
    run = tmp_path / "a/b/run"
    run.mkdir(parents=True)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/x.png").write_text("x")
    with linked_copy(run, {"dataset": {"path": "../../../photos"}, "seeds": [0]}):
        assert Path("../../../photos/x.png").read_text() == "x"
    with linked_copy(run, {"variants": {"v": {"activations": {"source": "files:../../../photos"}}}}):
        assert Path("../../../photos/x.png").read_text() == "x"
