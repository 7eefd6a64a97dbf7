"""Second rounds: whose segmenter the activations are read with, and what that changes and leaves."""

import copy

import pytest

from matlabel.artifacts.errors import UserError
from matlabel.runs import Plan

SECOND = {"activations": {"source": "segmenter:first"}}


@pytest.fixture
def config(animals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return {
        "dataset": {"format": "folder", "path": str(animals), "shard_size": 4},
        "evaluation": {"splits": ["val"]},
        "variants": {"first": {}, "second": copy.deepcopy(SECOND)},
    }


def test_a_second_round_reads_the_data_and_the_others_segmenter_and_trains_no_classifier(config):
    plan = Plan(config)
    first, second = plan.chains["first", 0], plan.chains["second", 0]
    assert "cam" not in second
    assert plan.node(second["activations"]).upstream == {"dataset": first["dataset"], "segmenter": first["segmenter"]}
    assert second["dataset"] == first["dataset"]
    assert not [stage for stage in second if stage != "dataset" and second[stage] == first[stage]]
    assert "cam" not in plan.node(second["evaluation"]).upstream
    assert {path.split("/")[2] for path in plan.targets("cam")} == {first["cam"]}


def test_the_source_cam_is_the_default_and_changes_no_key(config):
    spelled = {**config, "activations": {"source": "cam"}}
    assert Plan(spelled).chains == Plan(config).chains


def test_a_second_round_leaves_the_keys_of_the_first_alone(config):
    alone = Plan({**config, "variants": {}}).chains["default", 0]
    assert Plan(config).chains["first", 0] == alone


def test_each_seed_reads_the_segmenter_of_that_seed(config):
    plan = Plan({**config, "seeds": [0, 5]})
    for seed in (0, 5):
        activations = plan.node(plan.chains["second", seed]["activations"])
        assert activations.upstream["segmenter"] == plan.chains["first", seed]["segmenter"]
    assert list(plan.chains) == [("first", 0), ("first", 5), ("second", 0), ("second", 5)]


def test_a_third_round_reads_the_second_whatever_the_order_in_the_config(config):
    third = {"activations": {"source": "segmenter:second"}}
    config["variants"] = {"third": third, "second": SECOND, "first": {}}
    plan = Plan(config)
    assert list(plan.chains) == [("third", 0), ("second", 0), ("first", 0)]
    for later, earlier in (("third", "second"), ("second", "first")):
        activations = plan.node(plan.chains[later, 0]["activations"])
        assert activations.upstream["segmenter"] == plan.chains[earlier, 0]["segmenter"]
    # A change in the first round reaches the third.
    config["variants"]["first"] = {"trimaps": {"margin": 0.5}}
    assert Plan(config).chains["third", 0]["activations"] != plan.chains["third", 0]["activations"]


def test_renaming_the_variant_that_is_read_changes_no_key(config):
    before = Plan(config).chains["second", 0]
    config["variants"] = {"one": {}, "second": {"activations": {"source": "segmenter:one"}}}
    assert Plan(config).chains["second", 0] == before


def test_settings_that_a_second_round_does_not_read_are_no_part_of_its_keys(config):
    before = Plan(config).chains["second", 0]
    for read_out in ({"from": "maps"}, {"gamma": 2}, {"spread": {"steps": 1}}, {"margin": 0.1}):
        config["variants"]["second"] = {"activations": {**SECOND["activations"], **read_out}}
        assert Plan(config).chains["second", 0] == before
    config["variants"]["second"] = {"activations": {**SECOND["activations"], "size": 320}}
    assert Plan(config).chains["second", 0]["activations"] != before["activations"]


def test_the_second_round_of_a_fully_supervised_variant_needs_no_classifier_at_all(config):
    config["variants"]["first"] = {"labels": {"source": "masks"}}
    plan = Plan(config)
    assert plan.targets("cam") == []
    assert "trimaps" in plan.chains["second", 0]


def test_a_fully_supervised_variant_reads_no_activations_whatever_their_source(config):
    config["variants"]["masks"] = {"labels": {"source": "masks"}, "activations": {"source": "segmenter:masks"}}
    assert "activations" not in Plan(config).chains["masks", 0]


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ({"second": SECOND, "frist": {}}, r'variant second: .*there is no variant first \(did you mean "frist"\?\)'),
        ({"second": SECOND, "other": {}}, r"there is no variant first; the variants are second, other"),
        ({"first": SECOND}, r"variant first: activations\.source: segmenter:first names the variant itself"),
        (
            {"first": {"activations": {"source": "segmenter:second"}}, "second": SECOND},
            r"first reads second reads first, a circle; one of them has to begin with cam or files",
        ),
        ({"first": {"segmenter": {"train": False}}, "second": SECOND}, r"variant first trains no segmenter"),
        ({"first": {}, "second": {"activations": {"source": "segmenter"}}}, r"names no variant; write segmenter:<v"),
        (
            {"first": {}, "second": {"activations": {"source": "segmenter:"}}},
            r"takes cam, segmenter:<variant> or",
        ),
        ({"first": {}, "second": {"activations": {"source": "segmentr:first"}}}, r'did you mean "segmenter"'),
        (
            {"first": {}, "second": {**SECOND, "segmenter": {"weights": "cam"}}},
            r"segmenter\.weights is cam, but with activations\.source segmenter:first no classifier is trained",
        ),
        (
            {"first": {"evaluation": {"splits": []}}, "second": SECOND},
            r"variant second: evaluation\.splits: val is held out, but segmenter of variant first, .* trains on it",
        ),
        (
            {
                "first": {"evaluation": {"splits": []}, "segmenter": {"splits": ["train"]}},
                "second": SECOND,
                "third": {"activations": {"source": "segmenter:second"}},
            },
            r"val is held out, but cam of variant first",
        ),
    ],
)
def test_a_round_that_cannot_be_is_refused_in_one_line(config, variants, message):
    with pytest.raises(UserError, match=message) as error:
        Plan({**config, "variants": copy.deepcopy(variants)})
    assert "\n" not in str(error.value)


def test_without_an_embedding_a_second_round_needs_no_other_read_out(config):
    config["cam"] = {"category": 0, "foreground": 0}
    config["variants"] = {"first": {"activations": {"from": "maps"}}, "second": SECOND}
    config["activations"] = {"from": "maps"}
    plan = Plan(config)
    assert "segmenter" in plan.node(plan.chains["second", 0]["activations"]).upstream
