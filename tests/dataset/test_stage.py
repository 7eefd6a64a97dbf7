import json

import pytest
import yaml

from matlabel.artifacts.errors import UserError
from matlabel.dataset import stage
from matlabel.dataset.manifest import load_shard
from matlabel.runs import Plan


def checked(folder, monkeypatch, tmp_path, **changes):
    monkeypatch.chdir(tmp_path)
    plan = Plan(
        {
            "dataset": {"format": "folder", "path": str(folder), "shard_size": 100, **changes},
            "evaluation": {"splits": ["val"]},
        },
        write=True,
    )
    key = next(iter(plan.chains.values()))["dataset"]
    for number in plan.data.shards:
        csv = tmp_path / plan.shard_csv(number)
        stage.run(tmp_path / plan.settings_file(key), csv, tmp_path / plan.artifact(key, number))
    return [load_shard(tmp_path / plan.shard_csv(number)) for number in plan.data.shards]


def test_sound_images_pass_with_their_sizes(animals, monkeypatch, tmp_path):
    train, val = checked(animals, monkeypatch, tmp_path)
    assert len(train.entries) == 10
    assert val.sizes == {"v0": (40, 48), "v1": (40, 48)}
    assert train.rejected == {}


def test_broken_images_are_refused_all_at_once(animals, monkeypatch, tmp_path):
    for name in ("a1", "a4"):
        (animals / "images" / f"{name}.png").write_bytes(b"not an image")
    with pytest.raises(UserError, match=r"(?s)a1\.png: not a readable image.*a4\.png.*dataset\.unreadable: reject"):
        checked(animals, monkeypatch, tmp_path)


def test_rejected_images_keep_their_slot_and_are_skipped(animals, monkeypatch, tmp_path):
    (animals / "images" / "a1.png").write_bytes(b"not an image")
    text = (animals / "labels.csv").read_text()
    (animals / "labels.csv").write_text(
        text.replace("a2,train,cat;dog", "a2,train,cat;wolf").replace("a3,train,cat", "a3,train,")
    )
    train, _ = checked(animals, monkeypatch, tmp_path, unreadable="reject", unknown_class="reject", untagged="reject")
    assert set(train.rejected) == {"a1", "a2", "a3"}
    assert [entry.slot for entry in train.entries][:2] == [0, 4]


def test_untagged_images_may_be_background(animals, monkeypatch, tmp_path):
    text = (animals / "labels.csv").read_text()
    (animals / "labels.csv").write_text(text.replace("a3,train,cat", "a3,train,"))
    train, _ = checked(animals, monkeypatch, tmp_path, untagged="background")
    assert next(entry for entry in train.entries if entry.id == "a3").tags == ()


def test_checks_of_another_manifest_are_not_believed(animals, monkeypatch, tmp_path):
    train, _ = checked(animals, monkeypatch, tmp_path)
    checks = train.csv.with_name(f"shard-{train.number}.checks.json")
    checks.write_text(json.dumps({**json.loads(checks.read_text()), "shard": "shard-00000-000000000000.csv"}))
    with pytest.raises(UserError, match="run the stage dataset again"):
        load_shard(train.csv)


def test_the_settings_file_says_what_made_the_key(animals, monkeypatch, tmp_path):
    train, _ = checked(animals, monkeypatch, tmp_path)
    written = yaml.safe_load((train.csv.parent / "settings.yaml").read_text())
    assert (written["stage"], written["classes"], written["key"]) == ("dataset", ["cat", "dog"], train.csv.parent.name)
