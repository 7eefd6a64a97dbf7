"""Folders of IRN's dictionaries to maps, of the command's view: what is written, what is refused, and what it says."""

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from animals import write_folder
from typer.testing import CliRunner

from matlabel import cli
from matlabel.activations import files_stage
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.shard import open_shard
from matlabel.converters.irn import class_maps
from matlabel.dataset import stage as dataset
from matlabel.runs import Plan

TAGS = {"a": "cat", "b": "cat;dog", "c": "dog", "d": ""}
SIZE = (40, 48)


def high_res(image_id):
    """Maps of the tagged classes at the photograph's size."""
    count = len(TAGS[image_id].split(";"))
    maps = np.random.default_rng(ord(image_id)).random((count, *SIZE), np.float32)
    return maps / (maps.max((1, 2), keepdims=True) + np.float32(1e-5))


def keys(image_id):
    return [("cat", "dog").index(tag) for tag in TAGS[image_id].split(";") if tag]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Photographs in animals/, IRN's files of them in cams/, as IRN itself saves them."""
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "animals", {image_id: ("train", tags) for image_id, tags in TAGS.items()}, size=SIZE)
    Path("cams").mkdir()
    for image_id in "abc":
        save(image_id)
    return tmp_path


def save(image_id, first=0, **changes):
    maps = torch.from_numpy(high_res(image_id))
    small = torch.nn.functional.interpolate(maps[None], (10, 12))[0]
    found = {"keys": torch.tensor(keys(image_id)) + first, "cam": small, "high_res": maps.numpy(), **changes}
    np.save(f"cams/{image_id}.npy", found, allow_pickle=True)


def convert(*arguments):
    return CliRunner().invoke(cli.app, ["convert", "irn", "cams", "-o", "maps", *arguments])


def refused(*arguments):
    result = convert(*arguments)
    assert isinstance(result.exception, UserError), result.output
    return str(result.exception)


def written():
    return {path.name: path.read_bytes() for path in sorted(Path("maps").glob("*"))}


def test_converted_maps_lead_to_the_activations_of_maps_made_by_hand(folder):
    def activations(maps):
        data = {"format": "folder", "path": "animals", "untagged": "background"}
        plan = Plan({"dataset": data, "activations": {"source": f"files:{maps}"}}, write=True)
        chain = plan.chains["default", 0]
        key, shard = chain["activations"], Path(plan.shard_csv("00000"))
        dataset.run(Path(plan.settings_file(chain["dataset"])), shard, Path(plan.artifact(chain["dataset"], "00000")))
        out = Path(plan.artifact(key, "00000"))
        files_stage.run(Path(plan.settings_file(key)), shard, Path(plan.maps[key, "00000"]), out)
        with open_shard(out, "activations") as opened:
            return {image_id: opened[image_id] for image_id in opened.ids}

    Path("by-hand").mkdir()
    for image_id in "abc":
        names = np.array(TAGS[image_id].split(";"))
        np.savez_compressed(f"by-hand/{image_id}.npz", classes=names, maps=high_res(image_id))
    result = convert("--data", "animals")
    assert result.exit_code == 0, result.output
    assert "maps: 3 written, 0 there already, 0 without a class" in result.output
    one, two = activations("maps"), activations("by-hand")
    assert list(one) == list(two) == list(TAGS)
    for image_id in TAGS:
        assert one[image_id].keys() == two[image_id].keys()
        for name in one[image_id]:
            np.testing.assert_array_equal(one[image_id][name], two[image_id][name])


def test_a_run_that_was_stopped_is_finished_and_what_is_there_is_left(folder):
    convert()
    whole = written()
    os.unlink("maps/b.npz")
    before = os.stat("maps/a.npz").st_mtime_ns
    assert "1 written, 2 there already" in convert().output
    assert written() == whole
    assert os.stat("maps/a.npz").st_mtime_ns == before
    Path("maps/a.npz").write_bytes(b"mine")
    assert "a.npy: a.npz is there with other content; remove it" in refused()
    assert Path("maps/a.npz").read_bytes() == b"mine"


def test_every_file_that_cannot_be_converted_is_named_by_its_kind_and_the_others_are_written(folder):
    class Runs:
        def __reduce__(self):
            return os.mkdir, ("ran",)

    for image_id in ("b", "e", "f", "g", "h"):
        np.save(f"cams/{image_id}.npy", {"keys": Runs()}, allow_pickle=True)
    Path("cams/i.npy").write_bytes(b"\x93NUMPY")
    os.mkfifo("cams/j.npy")
    message = refused()
    assert message.splitlines() == [
        "cams: 7 files not converted",
        "b.npy: names posix.mkdir, which is no array: not read; likewise e.npy, f.npy, g.npy and 1 more",
        "i.npy: the header of the .npy file is damaged",
        "j.npy: a pipe or device, not a file",
    ]
    assert not Path("ran").exists()
    assert list(written()) == ["a.npz", "c.npz"]


def test_keys_that_count_from_1_are_seen_by_the_tags_before_anything_is_written(folder):
    for image_id in "abc":
        save(image_id, first=1)
    assert refused("--data", "animals").endswith("look as if they count from 1; add --first 1")
    assert not Path("maps").exists()
    right = convert("--data", "animals", "--first", "1")
    assert right.exit_code == 0
    found = written()
    for image_id in "abc":
        save(image_id)
    assert refused("--data", "animals", "--first", "1").endswith("look as if they count from 0; add --first 0")
    assert "maps: 0 written, 3 there already" in convert("--data", "animals").output
    assert written() == found


def test_what_does_not_fit_the_data_is_said(folder):
    save("a", keys=torch.tensor([1]))
    save("c", keys=np.array([5]))
    save("d", keys=[], cam=[], high_res=np.zeros((0, 40, 48), np.float32))
    message = refused("--data", "animals")
    assert "a.npy: has no map of cat, which the image is tagged with" in message
    assert "c.npy: has a class 6, counted from 1, and classes.txt names 2" in message
    os.rename("cams/a.npy", "cams/z.npy")
    output = convert("--data", "animals").output
    assert "left out, as they are named as no image of labels.csv: 1 (z)" in output
    assert "tagged images of labels.csv without a file: 1 (a)" in output
    assert "0 written, 1 there already, 1 without a class" in output
    for image_id in "bcd":
        os.unlink(f"cams/{image_id}.npy")
    assert "cams: no file is named as an image of labels.csv; they are z, its images are a, b, c and 1 more" in (
        refused("--data", "animals")
    )


def test_the_folder_that_is_read_is_not_written_to(folder):
    result = CliRunner().invoke(cli.app, ["convert", "irn", "cams", "-o", "animals/../cams"])
    assert "is the folder that is read" in str(result.exception)
    Path("empty").mkdir()
    result = CliRunner().invoke(cli.app, ["convert", "irn", "empty", "-o", "maps"])
    assert "empty: holds no .npy file" in str(result.exception)
    Path("maps").write_text("")
    assert "maps: is no folder" in refused()


MAP = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize("protocol", range(6))
def test_a_map_for_each_class_index_is_read_whatever_the_protocol(protocol, tmp_path):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
    wrapped = np.empty((), object)
    wrapped[()] = {np.int64(7): MAP, 2: MAP.astype(">f8") / 2}
    (tmp_path / "a.npy").write_bytes(file.getvalue() + pickle.dumps(wrapped, protocol))
    result = CliRunner().invoke(cli.app, ["convert", "irn", str(tmp_path), "-o", str(tmp_path / "maps")])
    assert result.exit_code == 0, result.output
    with np.load(tmp_path / "maps/a.npz") as found:
        assert found["classes"].tolist() == [3, 8]
        np.testing.assert_array_equal(found["maps"], np.stack([MAP / 2, MAP]))


def test_the_small_maps_are_taken_where_they_are_asked_for_or_alone():
    both = {"keys": np.array([0]), "cam": MAP[None, ::2], "high_res": MAP[None]}
    assert class_maps(both)[1].shape == (1, 3, 4)
    assert class_maps(both, array="cam")[1].shape == (1, 2, 4)
    assert class_maps({"keys": [0], "cam": MAP[None]})[1].shape == (1, 3, 4)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([MAP], "holds a list and not a dictionary"),
        ({"keys": [0], "attn": MAP[None]}, "has no array cam; it holds keys, attn"),
        ({"image": MAP, "tag": 1}, "holds image, tag; known are keys with high_res or cam"),
        ({"keys": [0, 1], "cam": MAP[None]}, r"cam has the shape \[1, 3, 4\]; with 2 keys it must be \[2, h, w\]"),
        ({"keys": [0], "cam": MAP}, r"cam has the shape \[3, 4\]"),
        ({"keys": [0.5], "cam": MAP[None]}, "its keys are no list of class indices"),
        ({"keys": [True], "cam": MAP[None]}, "its keys are no list of class indices"),
        ({"keys": [1, 1], "cam": np.stack([MAP, MAP])}, "names a class twice"),
        ({0: MAP, 1: MAP[:2]}, "its maps have different shapes"),
        ({0: MAP, 1: "x"}, "holds values by number that are no maps"),
        ({-1: MAP}, "has a class -1, but the first one is 0"),
        ({0: MAP * 30}, "its maps reach from 0 to 30; float in .* divide each by its maximum"),
        ({0: MAP * np.nan}, "its maps reach from nan to nan"),
        ({0: (MAP > 0.5)}, "its maps are bool; float in"),
    ],
)
def test_a_dictionary_of_something_else_is_refused(found, message):
    with pytest.raises(ValueError, match=message):
        class_maps(found)
