"""In which settings two names differ, from a config or from results/ alone."""

import shutil
from pathlib import Path

import pytest
from animals import write_folder
from typer.testing import CliRunner

from matlabel import cli
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.format import FORMAT
from matlabel.inspection.diff import diff_text, differences
from matlabel.inspection.settings_of import side_of
from matlabel.runs import Plan

CONFIG = {
    "dataset": {"format": "folder", "path": "animals"},
    "evaluation": {"splits": ["val"]},
    "seeds": [0, 1],
    "variants": {
        "plain": {},
        "wide": {"trimaps": {"margin": 0.4}, "mattes": {"workers": 2}},
        "again": {"activations": {"source": "segmenter:wide"}, "segmenter": {"weights": "none"}},
        "masks": {"labels": {"source": "masks"}, "segmenter": {"weights": "none"}},
    },
}
RESULTS = Path("results")


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "animals", {"a0": ("train", "cat"), "a1": ("train", "dog"), "v0": ("val", "cat")})
    return Plan(CONFIG, write=True)


def settings(plan, a, b):
    found = differences(*(side_of(name, plan, RESULTS) for name in (a, b)))
    return {f"{stage.stage}.{name}": pair for stage in found for name, pair in stage.settings.items()}


def differing(plan, a, b):
    found = differences(*(side_of(name, plan, RESULTS) for name in (a, b)))
    return [stage.stage for stage in found if not stage.same]


def key(plan, variant, stage, seed=0):
    return plan.chains[variant, seed][stage]


def test_variants_differ_in_what_the_config_changes_and_from_there_on(plan):
    assert settings(plan, "plain", "wide") == {"trimaps.margin": (0.2, 0.4), "mattes.workers": (8, 2)}
    assert differing(plan, "plain", "wide")[0] == "trimaps"
    text = diff_text(side_of("plain", plan, RESULTS), side_of("wide", plan, RESULTS))
    assert "trimaps.margin: 0.2 -> 0.4" in text
    assert "mattes.workers: 8 -> 2  (which leaves the results as they are)" in text
    assert max(map(len, text.splitlines())) <= 100


def test_seeds_differ_in_the_trainings(plan):
    assert settings(plan, "plain/seed-0", "plain/seed-1") == {"cam.(seed)": (0, 1), "segmenter.(seed)": (0, 1)}
    assert differing(plan, "plain/seed-0", "plain/seed-1")[0] == "cam"


def test_a_name_against_itself_has_the_same_artifacts(plan):
    assert settings(plan, "plain", "plain") == {}
    assert "The same artifacts." in diff_text(side_of("plain", plan, RESULTS), side_of("plain", plan, RESULTS))


def test_keys_need_no_config_and_no_data(plan):
    pair = [key(plan, variant, "labels") for variant in ("plain", "wide")]
    shutil.rmtree("animals")
    assert settings(None, pair[0][:6], pair[1]) == {"trimaps.margin": (0.2, 0.4)}
    assert differing(None, *pair) == ["trimaps", "mattes", "labels"]
    result = CliRunner().invoke(cli.app, ["diff", *pair])
    assert (result.exit_code, "trimaps.margin: 0.2 -> 0.4" in result.output) == (0, True)


def test_a_variant_against_a_key_is_compared_up_to_the_keys_stage(plan):
    other = Plan({**CONFIG, "variants": {"odd": {"trimaps": {"margin": 0.5}}}}, write=True)
    found = settings(plan, key(other, "odd", "mattes"), "wide")
    assert found == {"trimaps.margin": (0.5, 0.4)}  # what makes no key is not in settings.yaml, and not said to differ
    assert differing(plan, key(other, "odd", "mattes"), "wide") == ["trimaps", "mattes"]


def test_a_second_round_shows_the_round_before_by_itself(plan):
    side = side_of("again", plan, RESULTS)
    assert side.stages["before: segmenter"].key == key(plan, "wide", "segmenter")
    assert side.stages["activations"].key == key(plan, "again", "activations")
    assert settings(plan, "wide", "again")["activations.source"] == ("cam", "segmenter:wide")
    assert differing(plan, "wide", "again")[-1] == "evaluation"
    stored = side_of(key(plan, "again", "labels"), None, RESULTS)
    assert {stage: found.key for stage, found in stored.stages.items()}.items() <= {
        stage: found.key for stage, found in side.stages.items()
    }.items()


def test_artifacts_differ_from_the_first_stage_that_both_have(plan):
    lines = diff_text(*(side_of(name, plan, RESULTS) for name in ("wide", "again"))).splitlines()
    assert [line.split()[0] for line in lines if "from here on" in line] == ["activations"]


def test_stages_that_only_one_side_has_are_shown(plan):
    found = {stage.stage: stage.keys for stage in differences(*(side_of(n, plan, RESULTS) for n in ("plain", "masks")))}
    assert found["trimaps"] == (key(plan, "plain", "trimaps"), None)


def test_settings_that_are_gone_are_said_to_be(plan):
    pair = [key(plan, variant, "labels") for variant in ("plain", "wide")]
    shutil.rmtree(f"results/trimaps/{key(plan, 'wide', 'trimaps')}")
    text = diff_text(*(side_of(name, None, RESULTS) for name in pair))
    assert "settings.yaml is gone" in text


def test_what_cannot_be_compared_is_one_message(plan):
    labels, trimaps = key(plan, "plain", "labels"), key(plan, "plain", "trimaps")
    with pytest.raises(UserError, match="artifacts of different stages"):
        differences(side_of(labels, None, RESULTS), side_of(trimaps, None, RESULTS))
    with pytest.raises(UserError, match="masks, seed 0 has no stage trimaps"):
        differences(side_of(trimaps, plan, RESULTS), side_of("masks", plan, RESULTS))
    with pytest.raises(UserError, match=r'plian: no variant.*did you mean "plain"'):
        side_of("plian", plan, RESULTS)
    with pytest.raises(UserError, match="0000: begins no key"):
        side_of("0000", None, RESULTS)


def test_a_beginning_of_several_keys_names_them(plan):
    for name in ("abcd0000", "abcd1111"):
        Path(f"results/cam/{name}").mkdir(parents=True)
        Path(f"results/cam/{name}/settings.yaml").write_text(
            f"format: {FORMAT}\nstage: cam\nkey: {name}\nclasses: [cat]\nsettings: {{}}\n"
        )
    with pytest.raises(UserError, match="abcd: begins 2 keys: abcd0000, abcd1111"):
        side_of("abcd", None, RESULTS)
    assert side_of("abcd1", None, RESULTS).stages["cam"].key == "abcd1111"
