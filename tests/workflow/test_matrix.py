"""The rerun matrix, by the jobs that are planned: what a change concerns runs, and nothing else does."""

import copy
import shutil

import numpy as np
import pytest
import yaml
from PIL import Image
from tiny import TINY, clone

from matlabel.artifacts.label_image import read_label_image, write_label_image
from matlabel.stages import STAGES, position

pytestmark = pytest.mark.workflow

# Jobs of the tiny run: two shards to train on, one held out.
JOBS = {name: 3 if stage.sharded and not stage.held_out else 1 for name, stage in STAGES.items()}
# A change to the held-out shard: its own jobs, and what is scored and shown.
HELD_OUT = {name: 1 for name, stage in STAGES.items() if not stage.training}
SETTINGS = {
    "dataset": {"shard_size": 3},
    "cam": {"lr": 0.002},
    "activations": {"gamma": 2},
    "trimaps": {"margin": 0.3},
    "mattes": {"epsilon": 1e-5},
    "labels": {"margin": 0.1},
    "segmenter": {"lr": 0.02},
    "predictions": {"size": 80},
    "evaluation": {"bootstrap": 30},
    "report": {"gallery": 5},
}
SOURCES = {
    "cam/losses/exclusivity.py": "cam",
    "activations/spreading.py": "activations",
    "trimaps/trimap.py": "trimaps",
    "mattes/closed_form.py": "mattes",
    "labels/label.py": "labels",
    "segmenter/samples.py": "segmenter",
    "evaluation/boundary.py": "evaluation",
    "report/page.py": "report",
    "training/loop.py": "cam",
    "artifacts/shard.py": "activations",
    "artifacts/atomic.py": "dataset",
    "settings/mattes.py": "mattes",
    "cli.py": None,
    "runs/plan.py": None,
    "mattes/gpu/stream.py": "mattes",
}


def following(stage):
    """The jobs of a stage and of all that reads it."""
    return {name: JOBS[name] for name in list(STAGES)[position(stage) :]} if stage else {}


def changed(**blocks):
    config = copy.deepcopy(TINY)
    for stage, block in blocks.items():
        config[stage] = {**config.get(stage, {}), **block} if isinstance(block, dict) else block
    return config


@pytest.fixture(scope="module")
def moved(finished, tmp_path_factory):
    """The finished run in another place, of another checkout: what is changed there stays there."""
    return finished.moved(tmp_path_factory.mktemp("moved"), clone(tmp_path_factory.mktemp("checkout")))


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def run(moved):
    """The finished run, put back after the test."""
    kept = contents(moved.folder / "animals")
    yield moved
    moved.config(TINY)
    for path in contents(moved.folder / "animals").keys() - kept.keys():
        path.unlink()
    for path, content in kept.items():
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def test_moved_with_another_checkout_nothing_runs(run):
    for path in run.checkout.rglob("*"):
        path.touch()
    assert run.planned() == {}
    assert run.planned("--cores", "1") == {}


def test_a_config_spelled_otherwise_runs_nothing(run):
    text = yaml.safe_dump({stage: TINY[stage] for stage in reversed(TINY)}, sort_keys=False)
    (run.folder / "tiny.yaml").write_text("# the same\n" + text.replace("lr: 0.001", "lr: 1e-3 # scientific"))
    assert run.planned() == {}


def test_another_version_in_the_jobs_environment_runs_nothing(run):
    path = run.checkout / "envs/matlabel.yaml"
    text = path.read_text()
    path.write_text(text.replace("matplotlib==", "matplotlib==0."))
    assert run.planned() == {}
    path.write_text(text)


@pytest.mark.parametrize("stage", SETTINGS)
def test_a_setting_concerns_its_stage_and_what_follows(run, stage):
    run.config(changed(**{stage: SETTINGS[stage]}))
    expected = following(stage)
    if stage == "dataset":
        expected = {**expected, **{name: 5 for name, jobs in JOBS.items() if jobs == 3}}
    assert run.planned() == expected


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_file_concerns_the_stages_that_import_it(run, source):
    path = run.checkout / "matlabel" / source
    text = path.read_text()
    path.write_text(text + "# edited\n")
    try:
        assert run.planned() == following(SOURCES[source])
    finally:
        path.write_text(text)


def replaced(folder, image="v0"):
    pixels = np.asarray(Image.open(folder / f"animals/images/{image}.png"))
    Image.fromarray(pixels[::-1].copy()).save(folder / f"animals/images/{image}.png")


def added(folder, image="v0"):
    shutil.copy(folder / f"animals/images/{image}.png", folder / "animals/images/new.png")
    line = f"{image},{split_of(image)},cat\n"
    listed(folder, line, f"{line}new,{split_of(image)},cat\n")


def removed(folder, image="v0"):
    (folder / f"animals/images/{image}.png").unlink()
    listed(folder, f"{image},{split_of(image)},cat\n", "")


def tagged(folder, image="v0"):
    listed(folder, f"{image},{split_of(image)},cat\n", f"{image},{split_of(image)},dog\n")


def split_of(image):
    return "val" if image.startswith("v") else "train"


def listed(folder, old, new):
    path = folder / "animals/labels.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def masked(folder, image="a0"):
    mask = read_label_image(folder / f"animals/masks/{image}.png")
    write_label_image(folder / f"animals/masks/{image}.png", np.roll(mask, 3, axis=0))


CHANGES = pytest.mark.parametrize("change", [replaced, added, removed, tagged], ids=lambda change: change.__name__)


@CHANGES
def test_a_held_out_image_concerns_its_shard_and_no_training(run, change):
    change(run.folder)
    assert run.planned() == HELD_OUT


@CHANGES
def test_a_training_image_concerns_its_check_and_all_that_is_learnt_from_it(run, change):
    change(run.folder, "a0")
    assert run.planned() == {**following("cam"), "dataset": 1}


@pytest.mark.parametrize("image", ["a0", "v0"])
def test_a_true_mask_concerns_scores_and_report_alone(run, image):
    masked(run.folder, image)
    assert run.planned() == {"evaluation": 1, "report": 1}


def test_a_variant_added_runs_from_where_it_differs_one_removed_nothing_and_a_name_is_only_shown(run):
    run.config({**TINY, "variants": {"default": {}, "wide": {"trimaps": {"margin": 0.3}}}})
    assert run.planned() == following("trimaps")
    run.config({**TINY, "variants": {"default": {}}})
    assert run.planned() == {}
    run.config({**TINY, "variants": {"renamed": {}}})
    assert run.planned() == {"report": 1}


def test_a_second_seed_trains_and_shares_the_data(run):
    run.config({**TINY, "seeds": [0, 1]})
    assert run.planned() == following("cam")


def test_what_snakemake_offers_works_as_it_does_elsewhere(run):
    assert run.planned("--forcerun", "evaluation") == {"evaluation": 1, "report": 1}
    assert run.planned("-R", "trimaps", "--until", "labels") == {"trimaps": 3, "mattes": 3, "labels": 3}
    assert run.planned("-R", "trimaps", "--until", "trimaps") == {"trimaps": 3}
    run.config(changed(trimaps={"margin": 0.3}))
    assert run.planned("all_mattes") == {"trimaps": 3, "mattes": 3}
    assert run.planned("all_labels", "--batch", "all_labels=1/3") == {"trimaps": 1, "mattes": 1, "labels": 1}
