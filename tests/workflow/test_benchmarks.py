"""The benchmarks on a tiny run: they run to the end on any machine and print what they promise."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from animals import write_folder
from PIL import Image
from tiny import TINY

from matlabel.dataset.file_names import list_images
from matlabel.dataset.readers.folder import read_labels
from matlabel.settings.config import load_config

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).resolve().parents[2]


def benchmark(*arguments, script="matting.py"):
    command = [sys.executable, str(ROOT / "benchmarks" / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def run(finished):
    return finished.folder / "results/runs/default/seed-0"


def test_the_gpu_benchmark_runs_on_the_cpu_device_and_its_labels_are_the_exact_ones(run):
    printed = benchmark("gpu", run, "--device", "cpu", "--images", 4, "--batch", 3, "--scale", 1, "--repeats", 1)
    row = [cell.strip() for cell in printed.strip().splitlines()[-1].strip("|").split("|")]
    assert row[:2] == ["1", "3"]
    assert float(row[2]) > 0
    assert float(row[5].rstrip(" %")) < 1


def test_the_speed_benchmark_names_its_peers(run):
    printed = benchmark("speed", run, "--images", 1, "--repeats", 1)
    assert "pymatting cf, ms" in printed
    assert "random_walker, ms" in printed
    assert re.search(r"\| 2 +\| [\d.]+ +\| [\d.]+ +\| [\d.]+ x", printed)


def test_the_growth_benchmark_draws_its_plot(run, tmp_path):
    printed = benchmark("growth", run, "--plot", tmp_path / "plot.png", "--images", 1, "--repeats", 1, "--most", 0.2)
    assert "time ~ pixels^" in printed
    with Image.open(tmp_path / "plot.png") as plot:
        assert np.asarray(plot.convert("L")).std() > 10


def test_the_gain_benchmark_scores_every_method(run, finished):
    printed = benchmark("gain", run, finished.folder / "animals/masks")
    for method in ("none", "random_walk", "crf", "closed_form, scale 1", "closed_form, scale 4"):
        assert f"| {method} " in printed
    assert "object under 10 % of the image" in printed


def test_the_accuracy_benchmark_holds_ours_against_pymatting(tmp_path):
    random = np.random.default_rng(0)
    _, x = np.mgrid[:40, :48]
    alpha = np.clip((x - 18) / 12, 0, 1)
    image = alpha[..., None] * [200, 90, 30] + (1 - alpha[..., None]) * [20, 60, 160] + 4 * random.random((40, 48, 3))
    trimap = np.where(alpha == 0, 0, np.where(alpha == 1, 255, 128))
    trimap[:, 14:34] = 128
    for name, picture in (("images", image), ("alphas", 255 * alpha), ("trimaps", trimap)):
        (tmp_path / name).mkdir()
        Image.fromarray(picture.astype(np.uint8)).save(tmp_path / name / "a.png")
    printed = benchmark("accuracy", tmp_path)
    difference = re.search(r"closed_form, scale 1 +\| [\d.e-]+ +\| ([+-][\d.]+) %", printed)
    assert abs(float(difference[1])) < 5


def test_the_chain_without_snakemake_comes_to_the_same_scores(run, finished, tmp_path):
    config = {**TINY, "dataset": {**TINY["dataset"], "path": str(finished.folder / "animals")}}
    program = "import sys, json, chain; chain.run(json.loads(sys.argv[1]), sys.argv[2], 'cpu', workers=0, matting=1)"
    command = [sys.executable, "-c", program, json.dumps(config), str(tmp_path)]
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "benchmarks/gpu")])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **paths})
    assert done.returncode == 0, done.stderr
    scores = "evaluation/scores.json"
    assert (tmp_path / "results/runs/default/seed-0" / scores).read_bytes() == (run / scores).read_bytes()


def test_the_training_benchmark_holds_what_was_asked_for_against_plain():
    sizes = ("--backbone", "resnet18", "--crop", 48, "--batch", 4, "--precision", "32-true", "--threads", 1)
    turns = ("--device", "cpu", "--steps", 1, "--repeats", 1, "--only", "category", "--only", "all four")
    printed = benchmark(*sizes, *turns, script="training.py")
    assert "batches of 4 at 48 px, 32-true, cpu, 1 threads" in printed
    assert "loading: " in printed
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.strip().splitlines()[-3:]]
    assert [row[0] for row in rows] == ["plain", "category", "all four"]
    assert rows[0][2] == "1.00 x"
    assert all(float(row[1]) > 0 for row in rows)


def test_the_overhead_benchmark_counts_the_jobs_of_every_stage():
    printed = benchmark(
        "overhead", "--images", 60, "--shard-size", 8, "--kilobytes", 1, "--no-starts", script="workflow.py"
    )
    [driver] = [cells(line) for line in printed.splitlines() if line.startswith("| 60 ")]
    assert driver[1] == "52"  # seven shards of train and one of val in six stages, and four jobs for all of them
    assert all(float(value) > 0 for value in driver[2:5])


def test_the_disk_benchmark_counts_the_dictionaries_of_the_same_images(run):
    printed = benchmark("disk", run, script="workflow.py")
    # Twelve images of 56 x 64, three of them with two tags: 15 / 12 x 2 x 56 x 64 x 4 bytes.
    assert "two full dictionaries 36 kB" in printed
    for stage in ("activations", "trimaps", "mattes", "labels", "labels as PNG", "predictions", "all of these"):
        assert f"| {stage} " in printed


def test_the_quantisation_benchmark_finds_little_between_bytes_and_floats(run, finished):
    printed = benchmark("quantisation", run, finished.folder / "animals/masks", "--images", 4, script="workflow.py")
    winner = next(cells(line) for line in printed.splitlines() if line.startswith("| spread: winner "))
    assert abs(float(winner[-1])) < 2
    assert "before spreading: best threshold" in printed


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_cluster_model_is_fed_with_a_run_and_more_gpus_are_never_slower(run):
    sizes = ("--images", 1000, "--images", 20_000, "--shard-size", 256)
    printed = benchmark(run, *sizes, "--gpus", 1, "--gpus", 8, "--gpus", 64, script="cluster_model.py")
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in printed.splitlines() if "|" in line]
    assert {line[0] for line in lines} >= {"dataset", "cam", "activations", "trimaps", "mattes", "labels", "segmenter"}
    for images in ("1,000", "20,000"):
        hours = [float(line[3]) for line in lines if line[0] == images]
        assert len(hours) == 3
        assert hours == sorted(hours, reverse=True)
        assert hours[0] > 0


def test_the_robustness_benchmark_spoils_tags_and_keeps_masks_in_step(animals, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from robustness_cells import Cell, build, config_of

    whole = Cell("all", "animals", {"train": 10, "val": 2})
    few = Cell("few", "animals", {"train": 6}, classes=("dog",), shuffled=True)
    found = {cell.name: build(cell, animals.parent, tmp_path / cell.name) for cell in (whole, few)}
    listed = {name: read_labels(folder, list_images(folder)) for name, folder in found.items()}
    assert sorted(image.id for image in listed["all"]) == sorted(path.stem for path in (animals / "images").iterdir())
    assert (found["all"] / "masks/a0.png").read_bytes() == (animals / "masks/a0.png").read_bytes()
    # The larger cell holds the smaller one; of the only class left, the value is 1.
    assert {image.id for image in listed["few"]} < {image.id for image in listed["all"]}
    for image in listed["few"]:
        before, after = (np.asarray(Image.open(folder / f"masks/{image.id}.png")) for folder in (animals, found["few"]))
        assert ((after == 1) == (before == 2)).all()
        assert set(np.unique(after)) <= {0, 1, 255}
    dogs = {image.id: "dog" in image.tags for image in listed["all"]}
    assert sum(bool(image.tags) for image in listed["few"]) == sum(dogs[image.id] for image in listed["few"])
    for variant in ("plain", "default"):
        config, _ = load_config(config_of(whole, variant, 0, found["all"], "none", 1))
        assert config.cam.refines == (variant == "default")


def test_the_robustness_benchmark_takes_another_backbone_where_a_row_names_none(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from robustness import rows

    named = ["voc6 1200", "voc6 1200, ResNet-50", "tags shuffled", "demo"]
    found = {cell.name: cell.backbone for cell, *_ in rows(False, named, 1, "tf_efficientnet_lite0")}
    assert [found[name] for name in named] == [
        "tf_efficientnet_lite0",
        "resnet50",
        "tf_efficientnet_lite0",
        "resnet18",
    ]


def test_noise_takes_and_swaps_the_share_of_tags_that_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from robustness_cells import Cell, build

    rows = {f"a{number}": ("train", ("cat", "dog")[number % 2]) for number in range(200)}
    write_folder(tmp_path / "animals", rows, size=(16, 16))
    tags = {}
    for name, noise in (("missing", {"missing": 0.2}), ("swapped", {"swapped": 0.2})):
        folder = build(Cell(name, "animals", {"train": 200}, **noise), tmp_path, tmp_path / name)
        tags[name] = {image.id: image.tags for image in read_labels(folder, list_images(folder))}
    assert 20 < sum(not found for found in tags["missing"].values()) < 60
    assert all(len(found) == 1 for found in tags["swapped"].values())
    assert 20 < sum(found != (rows[image_id][1],) for image_id, found in tags["swapped"].items()) < 60


def test_the_robustness_benchmark_sets_the_default_beside_the_plain_cam(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from robustness_tables import table_text

    shared = {
        "backbone": "resnet18",
        "images": "60",
        "seed_miou": "50",
        "enforced": "10",
        "mean_ap": "60",
        "shuffled": "20",
        "cam_seconds": "9",
        "device": "a GPU",
    }
    elsewhere = {"cam_seconds": "900", "device": "cpu"}
    rows = [
        {
            **shared,
            **(elsewhere if seed == "1" else {}),
            "cell": "voc6 60",
            "variant": variant,
            "seed": seed,
            "labels": labels,
            "model": model,
            "warnings": "",
        }
        for variant, model, values in (("plain", "plain", (50, 52)), ("default", "d2cam", (55, 53)))
        for seed, labels in zip("01", map(str, values), strict=True)
    ]
    failed = {**shared, "cell": "tags shuffled", "variant": "default", "seed": "0", "labels": "9", "warnings": "cam"}
    printed = table_text([*rows, {**failed, "model": "plain"}])
    [line] = [cells(line) for line in printed.splitlines() if line.startswith("| voc6 60 ")]
    assert line[1] == "resnet18"
    assert line[3:7] == ["2", "51.0 ± 1.4", "54.0 ± 1.4", "+3.0"]
    assert line[-2:] == ["none", "9.0"]
    assert next(cells(line) for line in printed.splitlines() if line.startswith("| tags shuffled"))[-1] == "cam"
