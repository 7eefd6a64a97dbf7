"""From training to activations."""

from pathlib import Path

import pytest
from small_training import TERMS_TAKEN

from matlabel.activations import stage as activations_stage
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.shard import open_shard
from matlabel.artifacts.weights import load_weights
from matlabel.cam import stage as cam_stage
from matlabel.dataset import stage as dataset_stage
from matlabel.runs import Plan


@pytest.fixture
def chain(animals, tmp_path, monkeypatch):
    """Runs cam and activations of the first shard under given settings; returns the weights and the shard."""
    monkeypatch.chdir(tmp_path)

    def run(cam, spread, **activations):
        config = {
            "dataset": {"format": "folder", "path": str(animals)},
            "cam": {**TERMS_TAKEN, **cam},
            "activations": {"size": 64, "scales": [1.0], "spread": spread, **activations},
            "evaluation": {"splits": ["val"]},
        }
        plan = Plan(config, write=True)
        keys, number = plan.chains["default", 0], next(iter(plan.data.shards))
        csv = Path(plan.shard_csv(number))
        dataset_stage.run(Path(plan.settings_file(keys["dataset"])), csv, Path(plan.artifact(keys["dataset"], number)))
        weights, shard = Path(plan.artifact(keys["cam"])), Path(plan.artifact(keys["activations"], number))
        images = Path(plan.list_file(plan.splits(plan.node(keys["cam"]))))
        cam_stage.run(Path(plan.settings_file(keys["cam"])), images, weights, device="cpu")
        activations_stage.run(Path(plan.settings_file(keys["activations"])), csv, weights, shard, device="cpu")
        return weights, shard

    return run


def probabilities(shard):
    with open_shard(shard, "activations") as source:
        return {name: source[name]["probabilities"].tolist() for name in ("a0", "a1", "a2")}


def test_a_plain_classifier_that_tags_have_chosen_is_read_from_its_maps(chain, capsys):
    # Nothing is learnt at this rate, so the terms never begin.
    never = {"lr": 1e-9, "warmup": "auto"}
    weights, shard = chain(never, {"steps": 2})
    assert "never began" in load_weights(weights).metadata["plain"]
    assert "read from class maps alone" in capsys.readouterr().err
    _, maps = chain({**never, "foreground": 0, "exclusivity": 0, "paste": 0}, {"steps": 2}, **{"from": "maps"})
    assert probabilities(shard) == probabilities(maps)


def test_weights_without_an_embedding_are_refused_where_one_is_to_be_read(chain, tmp_path):
    without, _ = chain({"category": 0, "foreground": 0}, {}, **{"from": "maps"})
    elsewhere = tmp_path / "elsewhere.safetensors"
    elsewhere.write_bytes(without.read_bytes())
    with pytest.raises(UserError, match=r"safetensors: trained without an embedding; set activations\.from: maps"):
        chain({"weights_from": str(elsewhere)}, {})
