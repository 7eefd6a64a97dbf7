"""Real photographs through the whole chain, where there are any.

MATLABEL_DATA: a data set in the folder format, with masks. MATLABEL_WEIGHTS: a folder with a torchvision state_dict
of a ResNet-18, resnet18*.pt or resnet18*.pt.xz.
"""

import json
import lzma
import os
from pathlib import Path

import pytest
from tiny import TINY, Run

from matlabel.artifacts.shard import open_shard
from matlabel.dataset.file_names import list_images
from matlabel.dataset.readers.folder import read_labels

DATA, WEIGHTS = os.environ.get("MATLABEL_DATA"), os.environ.get("MATLABEL_WEIGHTS")

pytestmark = [
    pytest.mark.real,
    pytest.mark.workflow,
    pytest.mark.skipif(
        not (DATA and WEIGHTS),
        reason="needs MATLABEL_DATA, a data set in the folder format, and MATLABEL_WEIGHTS, a folder of weights",
    ),
]


def test_tagged_photographs_become_labels_and_a_segmenter(tmp_path):
    source = next(iter(sorted(Path(WEIGHTS).glob("resnet18*"))))
    weights = tmp_path / "resnet18.pt"
    weights.write_bytes(lzma.decompress(source.read_bytes()) if source.suffix == ".xz" else source.read_bytes())
    folder = Path(DATA).resolve()
    splits = list(dict.fromkeys(image.split for image in read_labels(folder, list_images(folder))))
    run = Run(tmp_path)
    training = {"weights": str(weights), "crop": 96, "resize": [96, 160], "splits": splits[:-1]}
    run.config(
        {
            **TINY,
            "dataset": {"format": "folder", "path": str(folder), "subset": dict.fromkeys(splits, 16)},
            "cam": {**TINY["cam"], **training},
            "activations": {"size": 160, "scales": [1.0]},
            "segmenter": {**TINY["segmenter"], **training, "norm": "auto"},
            "evaluation": {"splits": splits[-1:], "bootstrap": 20},
        }
    )
    run.snakemake()
    results = tmp_path / "results/runs/default/seed-0"
    with open_shard(results / "labels/shard-00000.h5", "labels") as shard:
        assert len(shard.ids) == 16
    scores = json.loads((results / "evaluation/scores.json").read_text())
    # Two epochs on a handful of images: better than calling everything background, and no more is asked.
    assert scores["seed"]["scoring"]["miou"] > 1 / (len(scores["classes"]) + 1)
    assert scores["trimaps"]["background_precision"] > 0.5
    assert scores["predictions"]["images"] == 16
