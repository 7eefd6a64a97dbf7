"""A second round and one's own maps, for real, on top of a finished first round."""

import copy
import shutil

import numpy as np
import pytest
from tiny import TINY, Run

from matlabel.artifacts.shard import open_shard

pytestmark = pytest.mark.workflow

CONFIG = {
    **copy.deepcopy(TINY),
    "variants": {
        "first": {},
        "second": {
            "activations": {"source": "segmenter:first"},
            "labels": {"splits": ["train"]},
            "segmenter": {"weights": "none"},
        },
        "own": {
            "activations": {"source": "files:maps"},
            "labels": {"splits": ["train"]},
            "segmenter": {"train": False, "weights": "none"},
        },
    },
}
TAGS = (("cat",), ("dog",), ("cat", "dog"))


def write_maps(path, tags, value=1.0):
    """Maps of an image of 56 by 64 pixels that are right: each tag is where `animals.write_folder` draws it."""
    maps = np.zeros((len(tags), 28, 32), np.float32)
    for place in range(len(tags)):
        maps[place, 4:15, 2 + 11 * place : 11 + 11 * place] = value
    np.savez_compressed(path, classes=np.array(tags), maps=maps)


@pytest.fixture(scope="module")
def rounds(finished, tmp_path_factory) -> Run:
    """The three variants run to their end, where the first one had been before."""
    folder = tmp_path_factory.mktemp("rounds") / "run"
    shutil.copytree(finished.folder, folder, symlinks=True)
    (folder / "maps").mkdir()
    for number in range(10):
        write_maps(folder / f"maps/a{number}.npz", TAGS[number % 3])
    run = Run(folder)
    run.before = run.artifacts()
    run.config(CONFIG)
    run.plan = run.planned()
    run.snakemake()
    return run


def labels(run, variant):
    with open_shard(run.folder / f"results/runs/{variant}/seed-0/labels/shard-00000.h5", "labels") as shard:
        return {image_id: shard[image_id]["labels"] for image_id in shard.ids}


def test_the_first_round_is_shared_and_no_other_classifier_is_trained(rounds):
    sharded = dict.fromkeys(("activations", "trimaps", "mattes", "labels"), 4)
    assert rounds.plan == {**sharded, "segmenter": 1, "predictions": 1, "evaluation": 2, "report": 1}
    after = rounds.artifacts()
    assert {name: after[name] for name in rounds.before} == rounds.before
    assert rounds.planned() == {}
    for variant in ("second", "own"):
        assert not (rounds.folder / f"results/runs/{variant}/seed-0/cam").exists()


def test_both_leave_activations_and_labels(rounds):
    for variant in ("second", "own"):
        run = rounds.folder / f"results/runs/{variant}/seed-0"
        with open_shard(run / "activations/shard-00000.h5", "activations") as shard:
            found = shard["a2"]
        assert sorted(found) == ["classes", "probabilities"]
        assert found["classes"].tolist() == [1, 2]
        assert found["probabilities"].shape == (3, 14, 16)
        assert (found["probabilities"].sum(0, dtype=int) == 255).all()
        assert labels(rounds, variant).keys() == {f"a{number}" for number in range(6)}
        assert {1, 2} <= set(np.unique(labels(rounds, variant)["a2"])) <= {0, 1, 2, 255}
    # The maps are where the objects are, so the labels are, too.
    assert (labels(rounds, "own")["a2"][10:28, 6:20] == 1).mean() > 0.9
    assert (labels(rounds, "own")["a2"][36:] == 0).mean() > 0.9


def test_an_edited_file_reruns_its_shard_and_nothing_of_another_variant(rounds):
    path = rounds.folder / "maps/a1.npz"
    before = path.read_bytes()
    write_maps(path, ("dog",), 0.5)
    once = dict.fromkeys(("activations", "trimaps", "mattes", "labels"), 1)
    assert rounds.planned() == {**once, "evaluation": 1, "report": 1}
    np.savez_compressed(path, classes=["dog"], maps=np.full((1, 28, 32), np.nan))
    output = rounds.snakemake("all_activations", fails=True)
    assert "maps/a1.npz: maps holds NaN or infinity, first at [0, 0, 0]" in output
    assert "Traceback" not in output
    path.unlink()
    assert "config: activations.source: maps holds no a1.npz; every tagged image of the splits train" in (
        rounds.snakemake("-n", fails=True)
    )
    path.write_bytes(before)
