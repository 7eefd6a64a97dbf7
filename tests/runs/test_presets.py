"""The presets as Snakemake loads and merges them."""

from collections import Counter
from pathlib import Path

import pytest
from animals import write_folder
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from matlabel.artifacts.errors import UserError
from matlabel.runs import Plan
from matlabel.runs.inputs import ablation_inputs
from matlabel.runs.starts import check_weights

PRESETS = Path(__file__).parents[2] / "workflow" / "presets"
FOUR = ("category", "foreground", "consistency", "exclusivity")
MINE = {
    "dataset": {"path": "animals", "subset": {"train": 4}},
    "labels": {"splits": ["masked"]},
    "evaluation": {"splits": ["val"], "label_splits": ["masked"]},
    "cam": {"weights": "weights.pt"},
    "segmenter": {"weights": "weights.pt"},
}


@pytest.fixture
def plan_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = {f"a{number}": (("train", "masked")[number % 2], ("cat", "dog")[number // 2 % 2]) for number in range(12)}
    write_folder(tmp_path / "animals", {**rows, "v0": ("val", "cat")})
    (tmp_path / "weights.pt").write_text("")

    def plan(*names, **changes):
        config = {}
        for name in names:
            update_config(config, load_configfile(PRESETS / f"{name}.yaml"))
        update_config(config, {**MINE, **changes})
        return Plan(config)

    return plan


def test_one_s_own_images_need_no_more_than_their_folder_and_no_network(plan_of):
    assert list(plan_of("own-images").variants) == ["default"]
    config = load_configfile(PRESETS / "own-images.yaml")
    update_config(config, {"dataset": {"path": "animals"}})
    plan = Plan(config)
    assert plan.downloads() == []
    check_weights("", plan.variants["default"])


def test_the_ablation_shares_all_it_can(plan_of):
    plan = plan_of("own-images", "ablation")
    nodes = Counter(node.stage for node in plan.nodes.values())
    seeds = 3
    # Plain, with spreading from the same classifier; each term alone; the four of D2CAM, three of them;
    # without reading again, from the same classifier; pasted; the default, and with consistency.
    rows = 2 + len(FOUR) + 1 + len(FOUR) + 2 + 2
    assert nodes["cam"] == (rows - 2) * seeds
    assert nodes["activations"] == rows * seeds
    # And the default's activations with the trimaps and matting of the other rows.
    assert nodes["trimaps"] == (rows + 1) * seeds
    # And once without the prior, from the trimaps of all, and once without samples, from those of the default.
    assert nodes["mattes"] == nodes["labels"] == nodes["evaluation"] == (3 * rows + 3) * seeds
    assert "segmenter" not in nodes
    plain, spread = plan.chains["plain", 1], plan.chains["plain+spreading", 1]
    assert [stage for stage in plain if plain[stage] == spread[stage]] == ["dataset", "cam"]
    for variant in plan.variants:
        row, shared = variant.partition(".")[0], ("dataset", "cam", "activations", "trimaps")
        assert [plan.chains[variant, 2][stage] for stage in shared] == [plan.chains[row, 2][stage] for stage in shared]


def test_the_terms_of_each_row_are_those_of_its_name(plan_of):
    defaults = plan_of("own-images").variants["default"]
    for name, settings in plan_of("own-images", "ablation").variants.items():
        row, _, method = name.partition(".")
        weights = {term: getattr(settings.cam, term) for term in FOUR}
        on = {term for term, weight in weights.items() if weight}
        expected = {"plain": set(), "plain+spreading": set(), "all": set(FOUR)}
        expected |= {term: {term} for term in FOUR} | {f"all-{term}": set(FOUR) - {term} for term in FOUR}
        expected |= {key: set(FOUR) for key in ("all-again", "all+paste", "all-prior")}
        expected |= {"default": {"foreground", "exclusivity"}, "default+consistency": set(FOUR) - {"category"}}
        expected |= dict.fromkeys(("default-contour", "default-samples"), expected["default"])
        assert on == expected[row], name
        round_default = row.startswith("default")
        assert (settings.cam.paste > 0) == (row == "all+paste" or round_default)
        assert (settings.trimaps.contour > 0) == (row != "default-contour")
        assert (settings.mattes.samples > 0) == (row != "default-samples")
        assert (settings.activations.spread.again == 0) == (row == "all-again")
        assert (settings.mattes.prior == 0) == (row == "all-prior")
        assert settings.mattes.method == (method or "closed_form")
        assert settings.activations.read == ("both" if settings.cam.embeds else "maps")
        assert (settings.activations.spread.steps == 0) == (row == "plain")
        # What the package does by default, as one of the rows.
        if name == "default":
            own = (*FOUR, "paste")
            assert {key: getattr(settings.cam, key) for key in own} == {key: getattr(defaults.cam, key) for key in own}
            assert (settings.trimaps, settings.mattes) == (defaults.trimaps, defaults.mattes)


def test_a_change_to_one_variant_leaves_those_that_share_its_anchor(plan_of):
    plan = plan_of("own-images", "ablation", variants={"all": {"cam": {"epochs": 1}}})
    assert plan.variants["all"].cam.epochs == 1
    assert plan.variants["all.none"].cam.epochs == plan.variants["all-category"].cam.epochs == 4


def test_the_ablation_with_a_gpu_adds_segmenters_and_a_second_round(plan_of):
    plan = plan_of("own-images", "ablation", "ablation-gpu")
    assert Counter(node.stage for node in plan.nodes.values())["segmenter"] == 3 * 3
    assert "segmenter" in plan.chains["plain", 0]
    assert "segmenter" not in plan.chains["plain.none", 0]
    assert (
        plan.node(plan.chains["second.crf", 0]["activations"]).upstream["segmenter"]
        == (plan.chains["default", 0]["segmenter"])
    )
    assert plan.chains["second.crf", 0]["trimaps"] == plan.chains["second", 0]["trimaps"]


def test_an_ablation_without_masks_is_refused_before_anything_runs(plan_of, tmp_path):
    for mask in (tmp_path / "animals/masks").iterdir():
        mask.unlink()
    with pytest.raises(UserError, match="the ablation scores against true masks, and no image has one"):
        ablation_inputs(plan_of("own-images", "ablation"))


def test_the_ablation_has_another_key_when_a_run_comes_or_changes(plan_of):
    key = plan_of("own-images").ablation.key
    assert plan_of("own-images").ablation.key == key
    assert plan_of("own-images", seeds=[0, 1]).ablation.key != key
    assert plan_of("own-images", mattes={"epsilon": 1e-3}).ablation.key != key
