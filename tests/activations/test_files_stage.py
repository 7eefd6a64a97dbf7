"""The stage on one's own maps: a shard of them, and what it says when some do not fit."""

from pathlib import Path

import numpy as np
import pytest
from animals import write_folder

from matlabel.activations import files_stage
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.shard import open_shard
from matlabel.dataset import stage as dataset
from matlabel.runs import Plan

TAGS = {"a": "cat", "b": "cat;dog", "c": ""}


def save(image_id, **changes):
    maps = np.zeros((2, 10, 12), np.uint8)
    maps[0, :, :4], maps[1, :, 8:] = 255, 255
    np.savez(f"maps/{image_id}.npz", **{"classes": np.array(["cat", "dog"]), "maps": maps, **changes})


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Plans, checks and reads the one shard; returns the path of what it wrote."""
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "animals", {name: ("train", tags) for name, tags in TAGS.items()}, size=(40, 48))
    Path("maps").mkdir()
    save("a")
    save("b")

    def go(before_reading=lambda: None):
        data = {"format": "folder", "path": "animals", "untagged": "background"}
        plan = Plan({"dataset": data, "activations": {"source": "files:maps"}}, write=True)
        chain = plan.chains["default", 0]
        shard, checks = plan.shard_csv("00000"), plan.artifact(chain["dataset"], "00000")
        dataset.run(Path(plan.settings_file(chain["dataset"])), Path(shard), Path(checks))
        key = chain["activations"]
        out = Path(plan.artifact(key, "00000"))
        before_reading()
        files_stage.run(Path(plan.settings_file(key)), Path(shard), Path(plan.maps[key, "00000"]), out)
        return out

    return go


def test_a_shard_holds_the_tagged_classes_at_a_quarter_of_the_image(run):
    with open_shard(run(), "activations") as shard:
        assert shard.ids == ["a", "b", "c"]
        one, two, none = (shard[name] for name in TAGS)
    assert (one["classes"].tolist(), two["classes"].tolist(), none["classes"].tolist()) == ([1], [1, 2], [])
    assert one["probabilities"].shape == (2, 10, 12)
    assert (two["probabilities"].argmax(0)[0] == [1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2]).all()
    # The dog's map stands in the file of a, which is tagged with a cat alone.
    assert (one["probabilities"].argmax(0)[0] == [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]).all()
    assert (none["probabilities"] == 255).all()
    for found in (one, two, none):
        assert "unspread" not in found


@pytest.mark.parametrize("seen_by_the_driver", [True, False])
def test_every_file_that_does_not_fit_is_named_and_nothing_is_left(run, monkeypatch, seen_by_the_driver):
    if not seen_by_the_driver:
        # As of a folder of so many files that these are none of those it looks at.
        monkeypatch.setattr("matlabel.runs.user_files.check_maps", lambda *_: None)
    save("a", maps=np.full((2, 4, 4), np.nan))
    save("b", classes=np.array(["cat", "dgo"]))
    with pytest.raises(UserError) as error:
        run()
    first, second = str(error.value).splitlines()
    assert first.startswith("maps/a.npz: maps holds NaN")
    assert second.startswith('maps/b.npz: classes: "dgo" is no class of the data (did you mean "dog"?)')
    assert not list(Path("results/activations").glob("*/*.h5"))


def test_maps_that_say_nothing_are_refused_where_most_are_so_and_noted_where_a_few_are(run, capsys):
    flat = np.full((2, 10, 12), 0.7, np.float32)
    save("b", maps=np.stack([flat[0], np.eye(10, 12, dtype=np.float32)]))
    run()
    assert "maps of 1 of 3 tags say nothing of where the class is" in capsys.readouterr().out

    def spoil():
        save("a", maps=flat)
        save("b", maps=flat)

    spoil()
    with pytest.raises(UserError, match=r"maps of 3 of 3 tags say nothing.*: a \(cat\), b \(cat\), b \(dog\); see how"):
        run()


def test_a_file_that_changes_while_the_run_goes_on_is_not_read(run):
    with pytest.raises(UserError, match=r"maps/a\.npz: changed since the run began; run again"):
        run(before_reading=lambda: save("a", maps=np.zeros((2, 4, 4), np.uint8)))
