"""The whole workflow for real: what it leaves, and that a rerun computes what changed and nothing else."""

import copy
import json

import numpy as np
import pytest
from animals import write_folder
from PIL import Image
from tiny import TINY, Run

from matlabel.artifacts.digest import file_sha256
from matlabel.artifacts.label_image import read_label_image
from matlabel.artifacts.shard import open_shard
from matlabel.stages import STAGES

pytestmark = pytest.mark.workflow


def test_every_stage_leaves_its_artifacts(finished):
    results = finished.folder / "results"
    for stage in STAGES:
        folders = [path for path in (results / stage).iterdir() if path.is_dir()]
        assert len(folders) == 1, stage
        assert (folders[0] / "settings.yaml").exists()
        link = results / "runs/default/seed-0" / stage
        assert link.resolve() == folders[0]
    labels = results / "runs/default/seed-0/labels"
    with open_shard(labels / "shard-00000.h5", "labels") as shard:
        assert shard.ids == [f"a{number}" for number in range(6)]
        found = shard["a2"]["labels"]
    assert set(np.unique(found)) <= {0, 1, 2, 255}
    np.testing.assert_array_equal(read_label_image(labels / "png/shard-00000/a2.png"), found)


def test_artifacts_fit_their_descriptions(finished):
    results = finished.folder / "results/runs/default/seed-0"
    with open_shard(results / "activations/shard-00000.h5") as shard:
        found = shard["a2"]
        assert found["classes"].tolist() == [1, 2]
        assert found["probabilities"].shape == (3, 14, 16)
        assert (found["probabilities"].sum(0, dtype=int) == 255).all()
    with open_shard(results / "trimaps/shard-00000.h5") as shard:
        assert {0, 1, 2} <= set(np.unique(shard["a2"]["trimap"])) <= {0, 1, 2, 255}
    with open_shard(results / "mattes/shard-00000.h5") as shard:
        assert shard["a2"]["alphas"].shape == (3, 56, 64)
        assert (shard["a2"]["alphas"].sum(0, dtype=int) == 255).all()


def test_provenance_lies_beside_every_artifact_and_is_true(finished):
    checked = 0
    for path in (finished.folder / "results").glob("*/*/*.provenance.json"):
        record = json.loads(path.read_text())
        artifact = path.with_name(path.name.removesuffix(".provenance.json"))
        assert record["sha256"] == file_sha256(artifact)
        for source, sha in record["inputs"].items():
            assert file_sha256(finished.folder / source) == sha
        checked += 1
    # Data's checks, four stages of three shards, predictions, two trainings with histories, one's check and held-out
    # tags, scores with tables, the report.
    assert checked == 3 + 3 * 4 + 1 + 2 * 2 + 3 + 5 + 1


def test_what_speaks_against_the_labels_is_the_last_that_a_run_says(finished):
    said = json.loads((finished.folder / "results/runs/default/seed-0/evaluation/scores.json").read_text())["warnings"]
    # The backbone is noise.
    assert any(text.startswith("cam: ") for text in said)
    assert all(f"WARNING, default, seed 0: {text}" in finished.printed for text in said)


def test_nothing_changed_runs_nothing_and_the_links_are_of_the_config_that_was_asked_for(finished):
    folder = finished.folder / "results/runs/default/seed-0"
    before = {link.name: link.readlink() for link in folder.iterdir()}
    (folder / "mattes").unlink()
    (folder / "trimaps").unlink()
    (folder / "trimaps").symlink_to("../../../trimaps/12345678")  # as another config in this folder leaves it
    after = {link.name: link.readlink() for link in folder.iterdir()}
    assert finished.planned() == {}
    assert {link.name: link.readlink() for link in folder.iterdir()} == after
    assert "Nothing to be done" in finished.snakemake()
    assert {link.name: link.readlink() for link in folder.iterdir()} == before


def test_touched_files_run_nothing(finished):
    for path in (finished.folder / "animals").rglob("*"):
        path.touch()
    assert finished.planned() == {}


def test_a_changed_trimap_setting_keeps_the_cam_and_back_again_is_a_no_op(finished, tmp_path):
    run = finished.moved(tmp_path)
    before = run.artifacts()
    run.config({**TINY, "trimaps": {"margin": 0.3}})
    follows = {"trimaps": 3, "mattes": 3, "labels": 3, "segmenter": 1, "predictions": 1, "evaluation": 1, "report": 1}
    assert run.planned() == follows
    output = run.snakemake("all_mattes")
    assert output.count("rule trimaps:") == 3
    assert "rule cam:" not in output
    assert "rule activations:" not in output
    run.config(TINY)
    assert run.planned() == {}
    after = run.artifacts()
    assert {name: after[name] for name in before} == before


def test_a_second_run_elsewhere_gives_the_same_bytes(finished, tmp_path):
    other = Run(tmp_path)
    (tmp_path / "animals").symlink_to(finished.folder / "animals")
    other.snakemake("--cores", "1", "all_labels")
    theirs, ours = finished.artifacts(), other.artifacts()
    made = [name for name in ours if "/cam/" in name or "/labels/" in name]
    assert len(made) > 12
    assert [name for name in made if ours[name] != theirs[name]] == []


def test_a_stage_can_be_asked_for_by_name(finished):
    assert finished.planned("-R", "trimaps", "--until", "trimaps") == {"trimaps": 3}
    assert finished.planned("--forcerun", "evaluation") == {"evaluation": 1, "report": 1}


def test_an_edited_tag_reruns_the_check_of_its_shard_and_what_was_trained_on_it(finished):
    path = finished.folder / "animals/labels.csv"
    text = path.read_text()
    path.write_text(text.replace("v0,val,cat", "v0,val,dog"))
    try:
        planned = finished.planned()
        # A held-out image: no training reads it.
        assert "cam" not in planned
        assert "segmenter" not in planned
        assert planned["dataset"] == planned["activations"] == planned["labels"] == 1
    finally:
        path.write_text(text)
    assert finished.planned() == {}


def test_a_correction_drawn_edited_and_deleted_reruns_its_shard_each_time(finished, tmp_path):
    run = finished.moved(tmp_path)
    folder = run.folder / "corrections"
    folder.mkdir()
    config = copy.deepcopy(TINY)
    config["trimaps"] = {"corrections": "corrections"}
    config["segmenter"]["train"] = False
    run.config(config)
    shard = {"trimaps": 1, "mattes": 1, "labels": 1}

    def draw(rows, colour):
        stroke = np.zeros((56, 64, 4), np.uint8)
        stroke[rows, 50:62] = (*colour, 255)
        Image.fromarray(stroke).save(folder / "a0.png")

    def labels():
        with open_shard(run.folder / "results/runs/default/seed-0/labels/shard-00000.h5") as shard:
            return shard["a0"]["labels"]

    run.snakemake("all_labels")
    untouched = labels()
    draw(slice(40, 52), (128, 0, 0))
    assert run.ran("all_labels") == shard
    assert (labels()[40:52, 50:62] == 1).all()
    draw(slice(4, 16), (128, 0, 0))
    assert run.ran("all_labels") == shard
    assert (labels()[4:16, 50:62] == 1).all()
    draw(slice(4, 16), (0, 128, 0))
    assert "dog drawn at row 4, column 50, but the image is tagged cat" in run.snakemake("all_labels", fails=True)
    (folder / "a0.png").unlink()
    assert run.ran("all_labels") == shard
    np.testing.assert_array_equal(labels(), untouched)
    assert run.planned("all_labels") == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cam": {"epoch": 3}}, r'config: unknown key cam.epoch (did you mean "epochs"?)'),
        ({"cam": {"lr": "fast"}}, "config: cam.lr:"),
        ({"trimaps": {"foreground": 2}}, "config: trimaps.foreground: input should be less than or equal to 1, not 2"),
        ({"dataset": {"format": "folder", "path": "nowhere"}}, "dataset.path: no such folder: nowhere"),
    ],
)
def test_a_mistake_in_the_config_is_one_line_and_no_traceback(finished, change, message):
    finished.config({**TINY, **change})
    try:
        output = finished.snakemake("-n", fails=True)
    finally:
        finished.config(TINY)
    assert message in output
    assert "Traceback" not in output
    assert "Error in" not in output


def test_broken_photographs_are_named_by_the_run_and_listed_by_the_report(tmp_path):
    rows = {f"a{number}": ("train", ("cat", "dog")[number % 2]) for number in range(5)}
    write_folder(tmp_path / "animals", rows, size=(56, 64))
    (tmp_path / "animals/images/a3.png").write_bytes(b"not an image")
    run = Run(tmp_path)
    config = {**copy.deepcopy(TINY), "evaluation": {"splits": []}}
    config["segmenter"]["train"] = False
    run.config(config)
    assert "a3.png: not a readable image" in run.snakemake(fails=True)
    config["dataset"]["unreadable"] = "reject"
    run.config(config)
    run.snakemake()
    page = next((tmp_path / "results/report").glob("*/report.html")).read_text()
    assert "a3.png: not a readable image" in page
