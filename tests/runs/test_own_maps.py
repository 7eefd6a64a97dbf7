"""One's own maps as the driver sees them: which files there must be, and whom a changed one concerns."""

import os
import shutil

import numpy as np
import pytest

from matlabel.artifacts.errors import UserError
from matlabel.dataset.manifest import read_files
from matlabel.runs import Plan


def save(image_id, value=1.0, shape=(2, 10, 12)):
    """Maps of an image of 40 by 48 pixels: a cat on the left, a dog on the right."""
    maps = np.zeros(shape, np.float32)
    maps[0, :, :4], maps[1, :, 8:] = value, value
    np.savez(f"maps/{image_id}.npz", classes=np.array(["cat", "dog"]), maps=maps)


@pytest.fixture
def config(animals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maps").mkdir()
    for path in (animals / "images").iterdir():
        save(path.stem)
    return {
        "dataset": {"format": "folder", "path": "animals", "shard_size": 4},
        "evaluation": {"splits": ["val"]},
        "activations": {"source": "files:maps"},
    }


def test_maps_need_no_classifier_and_reach_each_shard_with_their_digests(config):
    plan = Plan(config, write=True)
    chain = plan.chains["default", 0]
    assert "cam" not in chain
    assert plan.node(chain["activations"]).upstream == {"dataset": chain["dataset"]}
    assert sorted(plan.maps) == [(chain["activations"], f"{number:05d}") for number in range(4)]
    listed = read_files(plan.maps[chain["activations"], "00001"])
    assert sorted(listed) == ["a4", "a5", "a6", "a7"]
    assert str(listed["a5"][0]) == "maps/a5.npz"


def test_an_edited_file_changes_the_list_of_its_shard_and_no_key(config):
    before = Plan(config, write=True)
    save("a5", 0.5)
    after = Plan(config, write=True)
    assert after.chains == before.chains
    moved = [shard for (_, shard), path in after.maps.items() if path not in before.maps.values()]
    assert moved == ["00001"]


def test_what_does_not_fit_is_said_before_anything_runs_also_where_nothing_is_written(config, tmp_path):
    save("a5", shape=(2, 12, 10))
    for write in (False, True):
        with pytest.raises(UserError, match=r"^maps/a5\.npz: maps has the shape \[2, 12, 10\].*look turned"):
            Plan(config, write=write)
        # Refused again by the next run: the list of a shard is not written before its files are in order.
        assert not list(tmp_path.glob("results/activations/*/maps-*"))


def test_a_pipe_among_the_maps_ends_in_a_message(config, tmp_path):
    (tmp_path / "maps/a5.npz").unlink()
    os.mkfifo(tmp_path / "maps/a5.npz")
    with pytest.raises(UserError, match=r"maps holds no a5\.npz"):
        Plan(config)


def test_files_of_images_that_are_not_asked_for_are_neither_needed_nor_read(config, tmp_path):
    (tmp_path / "maps/v0.npz").unlink()
    (tmp_path / "maps/ghost.npz").write_bytes(b"")
    with pytest.raises(UserError, match=r"maps holds no v0\.npz; every tagged image of the splits train, val"):
        Plan(config)
    plan = Plan({**config, "labels": {"splits": ["train"]}})
    assert [shard for _, shard in plan.maps] == ["00000", "00001", "00002"]


def test_many_missing_files_are_one_short_line(config, tmp_path):
    for number in range(9):
        (tmp_path / f"maps/a{number}.npz").unlink()
    with pytest.raises(UserError, match=r"holds no a0\.npz, a1\.npz, a2\.npz, a3\.npz, a4\.npz and more; ") as error:
        Plan(config)
    assert "\n" not in str(error.value)


def test_images_that_no_stage_will_use_need_no_maps(config, animals, tmp_path):
    text = (animals / "labels.csv").read_text()
    text = text.replace("a1,train,dog", "a1,train,").replace("a2,train,cat;dog", "a2,train,bird")
    (animals / "labels.csv").write_text(text)
    (animals / "images/a3.png").write_bytes(b"broken")
    (animals / "images/a4.png").unlink()
    for number in (1, 2, 3, 4):
        (tmp_path / f"maps/a{number}.npz").unlink()
    config["dataset"] |= {"untagged": "background", "unknown_class": "reject", "unreadable": "reject"}
    plan = Plan(config, write=True)
    assert sorted(read_files(plan.maps[plan.chains["default", 0]["activations"], "00000"])) == ["a0"]


def test_a_shard_without_tags_has_a_list_too(config, animals, tmp_path):
    text = (animals / "labels.csv").read_text()
    (animals / "labels.csv").write_text(text.replace("v0,val,cat", "v0,val,").replace("v1,val,dog", "v1,val,"))
    shutil.move(tmp_path / "maps/v0.npz", tmp_path / "elsewhere.npz")
    config["dataset"]["untagged"] = "background"
    plan = Plan(config, write=True)
    assert read_files(plan.maps[plan.chains["default", 0]["activations"], "00003"]) == {}


def test_settings_that_maps_do_not_need_are_no_part_of_their_keys(config):
    before = Plan(config).chains["default", 0]["activations"]
    for unread in ({"size": 320}, {"from": "maps"}, {"scales": [1.0]}, {"batch_size": 2}):
        config["activations"] = {"source": "files:maps", **unread}
        assert Plan(config).chains["default", 0]["activations"] == before
    config["activations"] = {"source": "files:maps", "gamma": 2}
    assert Plan(config).chains["default", 0]["activations"] != before


def test_a_folder_that_is_not_there_and_a_start_from_no_classifier_are_refused(config):
    with pytest.raises(UserError, match=r"activations\.source: no such folder: nowhere"):
        Plan({**config, "activations": {"source": "files:nowhere"}})
    with pytest.raises(UserError, match=r"segmenter\.weights is cam, but with activations\.source files:maps"):
        Plan({**config, "segmenter": {"weights": "cam"}})
    with pytest.raises(UserError, match="takes cam, segmenter:<variant> or files:<folder>, not 'files:'"):
        Plan({**config, "activations": {"source": "files:"}})


def test_a_file_is_not_read_again_while_its_size_and_time_stand(config, tmp_path):
    plan = Plan(config, write=True)
    (index,) = tmp_path.glob("results/dataset/*/index-*.csv")
    digest = read_files(plan.maps[plan.chains["default", 0]["activations"], "00001"])["a5"][1]
    index.write_text(index.read_text().replace(digest, "0" * 64))
    again = Plan(config, write=True)
    assert read_files(again.maps[again.chains["default", 0]["activations"], "00001"])["a5"][1] == "0" * 64


def test_a_second_round_of_ones_own_maps(config):
    config["variants"] = {"first": {}, "second": {"activations": {"source": "segmenter:first"}}}
    plan = Plan(config)
    first, second = plan.chains["first", 0], plan.chains["second", 0]
    assert plan.node(second["activations"]).upstream["segmenter"] == first["segmenter"]
