"""The stage on a shard of its own: every method, over processes, and on the device's code path."""

import json
import zlib

import numpy as np
import pytest
from animals import write_folder
from scenes import scene

from matlabel.artifacts.digest import file_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.format import FORMAT
from matlabel.artifacts.shard import open_shard, write_shard
from matlabel.dataset.manifest import Entry, checks_path, load_shard, shard_text
from matlabel.mattes import stage
from matlabel.mattes.methods import alphas_of
from matlabel.settings.mattes import MattesSettings

CLASSES = ["cat", "dog"]


@pytest.fixture
def shard(tmp_path):
    """Six pictures with their trimaps and activations; returns what `stage.run` takes, without the settings."""
    tags = ("cat", "dog", "cat;dog")
    data = write_folder(tmp_path / "animals", {f"a{number}": ("train", tags[number % 3]) for number in range(6)})
    root = tmp_path / "dataset"
    root.mkdir()
    (root / "settings.yaml").write_text(
        f"format: {FORMAT}\nstage: dataset\nsettings: {{format: folder, path: {data}}}\n"
    )
    entries = [
        Entry(number, "train", f"a{number}", f"images/a{number}.png", "", tuple(tags[number % 3].split(";")))
        for number in range(6)
    ]
    entries = [Entry(**vars(entry) | {"sha256": file_sha256(data / entry.path)}) for entry in entries]
    csv = root / "shard-00000-000000000000.csv"
    csv.write_text(shard_text(entries))
    checks = {"shard": csv.name, "sha256": file_sha256(csv), "images": 6, "rejected": {}}
    checks_path(csv).write_text(json.dumps({**checks, "sizes": {entry.id: [40, 48] for entry in entries}}))
    attributes = {"key": "00000000", "classes": CLASSES, "settings": {}}
    with (
        write_shard(tmp_path / "activations.h5", stage="activations", **attributes) as activations,
        write_shard(tmp_path / "trimaps.h5", stage="trimaps", **attributes) as trimaps,
    ):
        for number, entry in enumerate(entries):
            labels = sorted(CLASSES.index(tag) + 1 for tag in entry.tags)
            _, trimap = scene(40, 48, labels, seed=number)
            planes = np.random.default_rng(number).integers(1, 255, (len(labels) + 1, 10, 12)).astype(np.uint8)
            activations.add(entry.id, classes=np.array(labels, np.uint8), probabilities=planes)
            trimaps.add(entry.id, trimap=trimap)
    return {
        "dataset": csv,
        "activations": tmp_path / "activations.h5",
        "trimaps": tmp_path / "trimaps.h5",
        "out": tmp_path / "mattes.h5",
    }


def settings_file(folder, **settings):
    path = folder / "settings.yaml"
    path.write_text(
        json.dumps({"format": FORMAT, "stage": "mattes", "key": "00000000", "classes": CLASSES, "settings": settings})
    )
    return path


@pytest.mark.parametrize("method", ["closed_form", "knn", "lbdm", "random_walk", "crf", "none"])
def test_every_method_gives_alphas_that_sum_to_255_and_keeps_what_is_sure(shard, tmp_path, method):
    given = {**shard, "trimaps": None} if method in ("crf", "none") else shard
    stage.run(settings_file(tmp_path, method=method), **given)
    manifest = load_shard(shard["dataset"])
    with open_shard(shard["out"], "mattes") as mattes, open_shard(shard["trimaps"]) as trimaps:
        assert mattes.ids == [entry.id for entry in manifest.entries]
        for image_id in mattes.ids:
            found, trimap = mattes[image_id], trimaps[image_id]["trimap"]
            assert (found["alphas"].sum(axis=0, dtype=int) == 255).all()
            if method not in ("crf", "none"):
                values = np.array([0, *found["classes"]])
                sure = trimap != 255
                np.testing.assert_array_equal(values[found["alphas"].argmax(axis=0)][sure], trimap[sure])


@pytest.mark.parametrize("method", ["closed_form", "crf"])
def test_several_processes_write_the_same_bytes_as_one(shard, tmp_path, method):
    settings = settings_file(tmp_path, method=method)
    stage.run(settings, **shard, workers=1)
    alone = shard["out"].read_bytes()
    stage.run(settings, **shard, workers=3)
    assert shard["out"].read_bytes() == alone


@pytest.mark.parametrize(
    "weights",
    [
        {"prior": 0},
        {"prior": 0.1},
        {"prior": 0, "samples": 0.3},
        {"prior": 0.1, "samples": 0.3},
    ],
)
def test_the_gpus_code_path_gives_the_labels_of_the_cpus(shard, tmp_path, weights):
    chosen = {
        "epsilon": 1e-5,
        "tolerance": 1e-6,
        "iterations": 3000,
        "batch_size": 4,
        "samples": 0,
        **weights,
    }
    settings = settings_file(tmp_path, **chosen)
    stage.run(settings, **shard)
    with open_shard(shard["out"]) as exact:
        expected = [exact[image_id]["alphas"].astype(int) for image_id in exact.ids]
    context = MattesSettings(**chosen)
    with open_shard(shard["activations"]) as activations, open_shard(shard["trimaps"]) as trimaps:
        tasks = stage.tasks_of(load_shard(shard["dataset"]), activations, trimaps, context)
        packed = list(stage.on_device(tasks, "cpu", context, 2))
    found = [np.frombuffer(zlib.decompress(part.data), np.uint8).reshape(part.shape) for part in packed]
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.sum(axis=0, dtype=int) == 255).all()
        assert np.abs(ours.astype(int) - theirs).max() <= 2


def test_a_prior_and_samples_change_the_unknown_alone(shard, tmp_path):
    found = []
    for weights in ({}, {"prior": 0.5}, {"samples": 3.0}):
        stage.run(settings_file(tmp_path, **weights), **shard)
        with open_shard(shard["out"]) as mattes:
            found.append({image_id: mattes[image_id]["alphas"] for image_id in mattes.ids})
    with open_shard(shard["trimaps"]) as trimaps:
        for image_id in trimaps.ids:
            sure = trimaps[image_id]["trimap"] != 255
            for other in found[1:]:
                np.testing.assert_array_equal(other[image_id][:, sure], found[0][image_id][:, sure])
                assert (other[image_id] != found[0][image_id]).any()


def test_a_prior_that_strokes_have_corrected_takes_the_place_of_the_activations(shard, tmp_path):
    with open_shard(shard["trimaps"]) as trimaps:
        found = {image_id: trimaps[image_id] for image_id in trimaps.ids}
    with write_shard(shard["trimaps"], stage="trimaps", key="00000000", classes=CLASSES, settings={}) as trimaps:
        for image_id, arrays in found.items():
            corrected = np.zeros((3 if image_id in ("a2", "a5") else 2, 10, 12), np.uint8)
            corrected[1] = 255
            trimaps.add(image_id, **arrays, **({"prior": corrected} if image_id in ("a1", "a2") else {}))
    stage.run(settings_file(tmp_path, prior=1000, samples=0), **shard)
    with open_shard(shard["out"]) as mattes:
        for image_id in mattes.ids:
            share = mattes[image_id]["alphas"][1][found[image_id]["trimap"] == 255].mean() / 255
            assert (share > 0.95) == (image_id in ("a1", "a2"))


def test_a_trimap_of_another_size_is_named(shard, tmp_path):
    attributes = {"key": "00000000", "classes": CLASSES, "settings": {}}
    with write_shard(shard["trimaps"], stage="trimaps", **attributes) as trimaps:
        for number in range(6):
            trimaps.add(f"a{number}", trimap=np.zeros((40, 47), np.uint8))
    with pytest.raises(UserError, match="a0: its trimap is not of the image's size"):
        stage.run(settings_file(tmp_path), **shard, workers=2)
    assert not shard["out"].exists()


def test_a_photograph_that_changed_in_the_meantime_is_named_by_whoever_reads_it(shard, tmp_path):
    manifest = load_shard(shard["dataset"])
    (manifest.folder / manifest.entries[4].path).write_bytes(b"else")
    with pytest.raises(UserError, match=r"a4\.png: changed since the run began"):
        stage.run(settings_file(tmp_path), **shard, workers=2)


@pytest.mark.parametrize(
    ("settings", "wanted", "device"),
    [
        ({}, "cpu", "cpu"),
        ({}, "mps", "cpu"),
        ({"device": "cpu"}, "cuda", "cpu"),
        ({"method": "random_walk"}, "cuda", "cpu"),
        ({"method": "crf"}, "auto", "cpu"),
    ],
)
def test_only_methods_that_can_use_a_gpu_ask_for_one(settings, wanted, device):
    assert stage.device_of(MattesSettings(**settings), wanted) == device


@pytest.mark.parametrize("scale", ["auto", 1, 2, 4])
def test_the_unknown_follows_the_pictures_edge(scale):
    image = np.full((64, 80, 3), 60, np.uint8)
    image[:, 40:] = (200, 150, 90)
    image = (image + np.random.default_rng(0).integers(-5, 6, image.shape)).astype(np.uint8)
    trimap = np.full((64, 80), 255, np.uint8)
    trimap[:, :16], trimap[:, 64:] = 0, 3
    alphas = alphas_of(image, [3], MattesSettings(scale=scale, epsilon=1e-5, prior=0, samples=0), trimap=trimap)
    truth = (np.arange(80) >= 40)[None].repeat(64, 0)
    assert ((alphas[1] > 0.5) == truth).mean() > 0.97


@pytest.mark.parametrize("method", ["closed_form", "random_walk"])
def test_methods_that_need_trimaps_are_refused_without(tmp_path, method):
    with pytest.raises(UserError, match=rf"mattes\.method {method} needs --trimaps"):
        stage.run(settings_file(tmp_path, method=method), tmp_path / "s.csv", tmp_path / "a.h5", tmp_path / "out.h5")
