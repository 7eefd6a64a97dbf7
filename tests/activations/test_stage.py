"""From training to activations, with and without learned affinity and a stored embedding."""

from pathlib import Path

import pytest
import torch
from small_training import TERMS_TAKEN

from matlabel.activations import stage as activations_stage
from matlabel.activations.embedding import MeanEmbedding
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.shard import open_shard
from matlabel.artifacts.weights import load_weights, save_weights
from matlabel.cam import stage as cam_stage
from matlabel.dataset import stage as dataset_stage
from matlabel.networks.embedding_axes import principal_axes
from matlabel.networks.trained_classifier import load_classifier
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


def test_affinity_is_trained_stored_loaded_and_spread_over(chain):
    weights, learned = chain({"affinity": 1.0}, {"affinity": "learned"})
    history = weights.with_name("history.csv").read_text().splitlines()
    column = history[0].split(",").index("affinity")
    assert [float(line.split(",")[column]) > 0 for line in history[1:]] == [False, True]
    stored = load_weights(weights)["network"]
    loaded = load_classifier(weights, "cpu").network.affinity.state_dict()
    assert loaded
    assert all(torch.equal(value, stored[f"affinity.{name}"]) for name, value in loaded.items())
    _, features = chain({"affinity": 1.0}, {"affinity": "features"})
    assert probabilities(learned) != probabilities(features)


def test_a_plain_classifier_that_tags_have_chosen_is_read_from_its_maps(chain, capsys):
    # Nothing is learnt at this rate, so the terms never begin.
    never = {"lr": 1e-9, "warmup": "auto"}
    weights, shard = chain(never, {"steps": 2})
    assert "never began" in load_weights(weights)["plain"]
    assert "read from class maps alone" in capsys.readouterr().err
    _, maps = chain({**never, "foreground": 0, "exclusivity": 0, "paste": 0}, {"steps": 2}, **{"from": "maps"})
    assert probabilities(shard) == probabilities(maps)
    with pytest.raises(UserError, match=r"set activations\.embedding: 0, or cam\.warmup: "):
        chain(never, {}, embedding=3)


def test_without_affinity_nothing_of_it_is_stored(chain):
    weights, _ = chain({}, {})
    content = load_weights(weights)
    assert not [name for name in content["network"] if "affinity" in name]
    assert load_classifier(weights, "cpu").network.affinity is None


def test_learned_is_refused_for_a_classifier_that_has_not_learned_it(chain, tmp_path):
    weights, _ = chain({}, {"steps": 0})
    elsewhere = tmp_path / "elsewhere.pt"
    elsewhere.write_bytes(weights.read_bytes())
    with pytest.raises(UserError, match=r"weights\.pt: trained without affinity; set .*: features") as error:
        chain({"weights_from": str(elsewhere)}, {"affinity": "learned"})
    assert "\n" not in str(error.value)


def test_an_asked_for_embedding_is_stored_and_changes_nothing_else(chain):
    weights, plain = chain({}, {})
    _, shard = chain({}, {}, embedding=3)
    classifier = load_classifier(weights, "cpu")
    axes = principal_axes(classifier.covariance, 3)
    with open_shard(plain, "activations") as before, open_shard(shard, "activations") as after:
        for image_id in after.ids:
            found = after[image_id]
            stored = found.pop("embedding")
            assert stored.dtype == "uint8"
            assert stored.shape == (3, *found["agreement"].shape)
            # Along orthonormal axes a unit vector stays within the ball.
            assert (((stored / 127.5 - 1) ** 2).sum(0) < 1.05).all()
            assert {name: array.tolist() for name, array in found.items()} == {
                name: array.tolist() for name, array in before[image_id].items()
            }
    assert axes.shape == (3, 8)


def test_weights_without_what_a_stored_embedding_needs_are_refused_only_if_it_is_asked_for(chain, tmp_path):
    weights, _ = chain({}, {})
    content = load_weights(weights)
    del content["centres"]["moment"], content["centres"]["averaged"]
    older, never = tmp_path / "older.pt", tmp_path / "never.pt"
    save_weights(older, content)
    _, shard = chain({"weights_from": str(older)}, {})
    assert probabilities(shard)
    with pytest.raises(UserError, match=r"weights\.pt: trained before .* set activations\.embedding: 0"):
        chain({"weights_from": str(older)}, {}, embedding=3)
    save_weights(never, load_weights(chain({"category": 0, "foreground": 0}, {}, **{"from": "maps"})[0]))
    with pytest.raises(UserError, match=r"trained without an embedding; set activations\.embedding: 0"):
        chain({"weights_from": str(never)}, {}, embedding=3, **{"from": "maps"})


def test_the_embeddings_mean_over_views_turns_mirrored_ones_back():
    axes, z = torch.eye(3)[:2], torch.nn.functional.normalize(torch.randn(1, 3, 4, 6), dim=1)
    both, one = MeanEmbedding(axes, (8, 12)), MeanEmbedding(axes, (8, 12))
    both.add(z, False)
    both.add(z.flip(3), True)
    one.add(z, False)
    assert torch.allclose(both.projected(), one.projected(), atol=1e-6)
