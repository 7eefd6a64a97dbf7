"""Photographs with trimaps from a run's own artifacts, for the matting benchmarks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from matlabel.artifacts.label_image import read_label_image
from matlabel.artifacts.provenance import provenance_path
from matlabel.artifacts.shard import open_shard
from matlabel.dataset.manifest import load_shard
from matlabel.mattes.stage import Task, tasks_of
from matlabel.settings.mattes import MattesSettings


@dataclass(frozen=True)
class Example:
    """One photograph of a run.

    Attributes:
        image: uint8[H, W, 3].
        trimap: uint8[H, W] label trimap.
        labels: label values of its tags.
        activations: uint8[C + 1, h, w], background first.
        mask: uint8[H, W] true labels, 255 void, where masks were given and there is one.
    """

    id: str
    image: np.ndarray
    trimap: np.ndarray
    labels: list[int]
    activations: np.ndarray
    mask: np.ndarray | None


def examples(run: Path, masks: Path | None = None) -> Iterator[Example]:
    """The photographs that a run made trimaps for, in the order of its shards.

    Args:
        run: results/runs/<variant>/seed-<n> of a run, below the folder that Snakemake ran in.
        masks: folder of true masks, <id>.png.
    """
    for path, task in tasks_of_run(run):
        with open_shard(run / "activations" / path.name) as activations:
            found, classes = activations[task.entry.id], len(activations.classes)
        mask = masks / f"{task.entry.id}.png" if masks else None
        truth = read_label_image(mask, classes) if mask and mask.exists() else None
        planes, labels = found["probabilities"], task.classes.tolist()
        yield Example(task.entry.id, task.image(), task.trimap, labels, planes, truth)


def tasks_of_run(run: Path) -> Iterator[tuple[Path, Task]]:
    """Each image as the stage mattes sees it, with the trimaps' shard that it is from."""
    root = run.absolute().parents[3]
    for path in sorted((run / "trimaps").glob("shard-*.h5")):
        # The manifest that the shard was made from; relative paths are relative to where the run was started.
        inputs = json.loads(provenance_path(path).read_text())["inputs"]
        shard = load_shard(root / next(name for name in inputs if "/dataset/" in name and name.endswith(".csv")))
        with open_shard(path, "trimaps") as trimaps, open_shard(run / "activations" / path.name) as activations:
            for task in tasks_of(shard, activations, trimaps, MattesSettings()):
                yield path, replace(task, folder=root / task.folder)


def chosen(found: Iterator[Example], classes: int, count: int) -> list[Example]:
    """`count` examples with so many tags and something unknown, from all over the run."""
    kept = [item for item in found if len(item.labels) == classes and (item.trimap == 255).any()]
    return kept[:: max(1, len(kept) // count)][:count]
