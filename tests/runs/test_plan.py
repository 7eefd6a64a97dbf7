import copy

import numpy as np
import pytest

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.format import is_foreign
from matlabel.runs import Plan
from matlabel.settings.base import Settings
from matlabel.settings.config import StageSettings
from matlabel.stages import STAGES, position

# A changed value of each type: what a field takes is asked of the model, not listed by hand.
BASE = {
    "cam": {"splits": ["train"]},
    "segmenter": {"splits": ["train"]},
    "evaluation": {"splits": ["val"]},
}


@pytest.fixture
def config(animals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("other", "maps"):
        (tmp_path / name).mkdir()
    for path in (animals / "images").iterdir():
        planes = np.random.default_rng(0).random((2, 10, 12), np.float32)
        np.savez(tmp_path / "maps" / f"{path.stem}.npz", classes=[1, 2], maps=planes)
    (tmp_path / "labels.csv").write_text("")
    text = (animals / "labels.csv").read_text()
    (animals / "labels.csv").write_text(text.replace("a8,train", "a8,extra").replace("a9,train", "a9,extra"))
    return {"dataset": {"format": "folder", "path": str(animals), "shard_size": 4}, **copy.deepcopy(BASE)}


def keys(config, variant="default", seed=0):
    return Plan(config).chains[variant, seed]


def changed(config, path, value):
    config = copy.deepcopy(config)
    block = config
    for part in path[:-1]:
        block = block.setdefault(part, {})
    block[path[-1]] = value
    return config


def other_values(field):
    default = field.get_default(call_default_factory=True)
    candidates = [
        True,
        False,
        1,
        2,
        3,
        4,
        8,
        32,
        64,
        0.5,
        0.05,
        1.5,
        [1.0],
        [64, 128],
        [1, 2, 4],
        ["extra"],
        {"train": 3},
    ]
    candidates += [
        "maps",
        "none",
        "masks",
        "adamw",
        "soft",
        "frozen",
        "skip",
        "reject",
        "resnet18",
        "unet",
        "32-true",
        "embedding",
        "note",
        "off",
    ]
    candidates += ["bf16-mixed", "cpu", "other", "labels.csv", "files:maps"]
    return [value for value in candidates if value != default]


def settings_of(block, path=()):
    for name, field in block.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            yield from settings_of(field.annotation, (*path, name))
        else:
            yield (*path, field.alias or name), field


@pytest.mark.parametrize(
    ("path", "field"),
    [p for p in settings_of(StageSettings) if p[0][0] != "report"],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_a_setting_changes_the_keys_of_its_stage_and_of_what_follows(config, path, field, animals):
    if path == ("dataset", "path") or path[:2] == ("dataset", "format"):
        pytest.skip("another data set, not another setting")
    before = keys(config)
    for value in other_values(field):
        try:
            after = keys(changed(config, path, value))
            break
        except (UserError, TypeError):
            continue
    else:
        pytest.fail(f"no other value found for {'.'.join(path)}")
    moved = {stage for stage in after if after[stage] != before.get(stage)}
    if (field.json_schema_extra or {}).get("free"):
        # Without a segmenter there is less to evaluate.
        assert moved <= ({"evaluation"} if path == ("segmenter", "train") else set())
    else:
        assert path[0] in moved or path[0] not in after
        # Nothing upstream of the stage moves; of what follows, all that reads it.
        assert not [stage for stage in list(STAGES)[: position(path[0])] if stage in moved]
    assert keys(config) == before


def test_spelling_order_and_comments_of_the_config_do_not_matter(config):
    spelled = {name: config[name] for name in reversed(config)}
    assert keys(changed(config, ("cam", "lr"), 0.001)) == keys(changed(spelled, ("cam", "lr"), "1e-3"))


def test_variants_share_what_they_agree_on(config):
    config["variants"] = {"a": {}, "b": {"trimaps": {"margin": 0.5}}}
    plan = Plan(config)
    a, b = plan.chains["a", 0], plan.chains["b", 0]
    assert [stage for stage in a if a[stage] == b[stage]] == ["dataset", "cam", "activations"]
    assert plan.node(a["cam"]).users == [("a", 0), ("b", 0)]


def test_seeds_share_the_data_and_renaming_a_variant_changes_nothing(config):
    plan = Plan({**config, "seeds": [0, 1], "variants": {"x": {}}})
    assert plan.chains["x", 0] == keys(config)
    assert plan.chains["x", 1]["dataset"] == plan.chains["x", 0]["dataset"]
    assert plan.chains["x", 1]["cam"] != plan.chains["x", 0]["cam"]


def test_method_none_does_not_wait_for_trimaps_and_masks_for_no_cam(config):
    assert (
        "trimaps"
        not in Plan(changed(config, ("mattes", "method"), "none"))
        .nodes[keys(changed(config, ("mattes", "method"), "none"))["mattes"]]
        .upstream
    )
    assert set(keys(changed(config, ("labels", "source"), "masks"))) == {
        "dataset",
        "labels",
        "segmenter",
        "predictions",
        "evaluation",
    }


def test_trainings_read_their_splits_and_the_rest_covers_all(config):
    plan = Plan(config)
    chain = plan.chains["default", 0]
    assert plan.splits(plan.node(chain["cam"])) == ["train"]
    assert plan.splits(plan.node(chain["labels"])) == ["train", "extra", "val"]
    assert plan.splits(plan.node(chain["predictions"])) == ["val"]
    assert [path[-14:] for path in plan.targets("predictions")] == ["shard-00003.h5", "ng/shard-00003"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("cam", "splits"), ["trian"], r"cam\.splits: the data has no split trian; it has train, extra, val"),
        (("evaluation", "splits"), ["train"], "held-out means unseen"),
        (
            ("cam", "weights"),
            "missing.pt",
            r"cam\.weights: no such file: missing\.pt \(or one of imagenet, package, none, or a name",
        ),
        (("cam", "weights_from"), "missing.pt", r"cam\.weights_from: no such file"),
        (("dataset", "path"), "nowhere", r"dataset\.path: no such folder: nowhere"),
        (("trimaps", "corrections"), "nowhere", r"trimaps\.corrections: no such folder: nowhere"),
    ],
)
def test_what_the_config_names_must_be_there(config, path, value, message):
    with pytest.raises(UserError, match=message):
        Plan(changed(config, path, value))


def tagged_alike(animals, untagged):
    lines = (animals / "labels.csv").read_text().splitlines()
    tags = {"a0": "", "a3": ""} if untagged else {}
    rows = [line.rsplit(",", 1)[0] + f",{tags.get(line.split(',')[0], 'cat;dog')}" for line in lines[1:]]
    (animals / "labels.csv").write_text("\n".join([lines[0], *rows]) + "\n")


@pytest.mark.parametrize("untagged", ["reject", "background"])
def test_images_that_all_have_the_same_tags_are_refused_with_the_reason(config, animals, untagged):
    config = changed(config, ("dataset", "untagged"), untagged)
    tagged_alike(animals, untagged=untagged == "reject")
    with pytest.raises(UserError, match=r"cam: the training images have the same tags \(all are tagged cat, dog\)"):
        Plan(config)
    # Nothing is trained on tags here.
    weights = animals / "weights.pt"
    weights.write_bytes(b"")
    Plan(changed(config, ("cam", "weights_from"), str(weights)))


def test_images_without_tags_are_the_contrast_to_those_that_have_the_same(config, animals):
    tagged_alike(animals, untagged=True)
    Plan(changed(config, ("dataset", "untagged"), "background"))


def test_a_correction_reaches_its_shard_alone(config, animals, tmp_path):
    folder = tmp_path / "corrections"
    folder.mkdir()
    config = changed(config, ("trimaps", "corrections"), str(folder))
    assert Plan(config).corrections == {}
    (folder / "a5.png").write_bytes((animals / "masks" / "a5.png").read_bytes())
    plan = Plan(config)
    assert list(plan.corrections) == [(plan.chains["default", 0]["trimaps"], "00001")]
    (folder / "ghost.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"ghost\.png: the data has no image ghost"):
        Plan(config)


def test_driver_files_are_only_added(config, tmp_path):
    Plan(config, write=True)
    assert not any(map(is_foreign, tmp_path.glob("results/*/*")))
    files = [path for path in tmp_path.joinpath("results").rglob("*") if path.is_file()]
    # Of a lock only the last file counts.
    before = {path: path.stat().st_mtime_ns for path in files if not path.name.startswith(".lock.")}
    Plan(config, write=True)
    Plan(changed(config, ("trimaps", "margin"), 0.4), write=True)
    assert {path: path.stat().st_mtime_ns for path in before} == before
