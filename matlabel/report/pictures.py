"""Rows of the gallery: reads an image's artifacts and draws them."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from matlabel.artifacts.provenance import Inputs
from matlabel.artifacts.shard import open_shard
from matlabel.dataset.images import load_image
from matlabel.dataset.manifest import Entry, ShardManifest
from matlabel.dataset.true_masks import TrueMasks
from matlabel.report import gallery
from matlabel.report.runs import Run, folder_of
from matlabel.stages import FIRST, STAGES

COLUMNS = ("image", "activations", "trimap", "alphas", "pseudo-label", "prediction", "truth")
# Evaluation has read these of such images, so that they stand before the report is made.
ALL_STAGES = tuple(name for name, stage in STAGES.items() if stage.sharded and stage is not FIRST)
HELD_OUT_STAGES = tuple(name for name, stage in STAGES.items() if stage.held_out)


@dataclass(frozen=True)
class Row:
    """An image of the gallery: id, why it was chosen, its tags, its line of per_image.csv, column -> data URI."""

    id: str
    why: str
    tags: tuple[str, ...]
    scores: dict[str, str]
    pictures: dict[str, str] = field(default_factory=dict)


class Pictures:
    """Draws images of the data set as the stages of a run saw them.

    Args:
        shards: all shards of the data set.
        masks: of the data set, as far as there are any.
        results: the folder of all artifacts.
        side: long side of a picture, in pixels.
        inputs: where the files that are read get noted.
    """

    def __init__(self, shards: list[ShardManifest], masks: TrueMasks, results: Path, side: int, inputs: Inputs):
        self._places = {entry.id: (shard, entry) for shard in shards for entry in shard.entries}
        self._masks = masks
        self._results = results
        self._side = side
        self._inputs = inputs

    def row(self, run: Run, image_id: str, why: str, scores: dict[str, str], stages: tuple[str, ...]) -> Row | None:
        """Draw one image from the artifacts of `stages`; None if the data set no longer holds it."""
        if image_id not in self._places:
            return None
        shard, entry = self._places[image_id]
        image = load_image(shard.folder, entry)
        side = self._side
        drawn = {"image": gallery.photograph(image, side)}
        found = {stage: arrays for stage in stages if (arrays := self._arrays(run, stage, shard, entry))}
        if maps := found.get("activations"):
            drawn["activations"] = gallery.activations(image, maps["classes"], maps["probabilities"], side)
        if trimap := found.get("trimaps"):
            drawn["trimap"] = gallery.trimap(trimap["trimap"], side)
        if matte := found.get("mattes"):
            drawn["alphas"] = gallery.alphas(matte["classes"], matte["alphas"], side)
        if label := found.get("labels"):
            drawn["pseudo-label"] = gallery.labels(label["labels"], side)
        if prediction := found.get("predictions"):
            drawn["prediction"] = gallery.labels(prediction["labels"], side)
        if image_id in self._masks:
            drawn["truth"] = gallery.labels(self._masks.read(image_id, image.shape[:2]), side)
        return Row(image_id, why, entry.tags, scores, drawn)

    def _arrays(self, run: Run, stage: str, shard: ShardManifest, entry: Entry) -> dict[str, np.ndarray] | None:
        if stage not in run.keys:
            return None
        path = folder_of(self._results, stage, run.keys) / f"shard-{shard.number}.h5"
        if not path.exists():
            return None
        if str(path) not in self._inputs.files:
            self._inputs.add(path)
        with open_shard(path, stage) as opened:
            # Labels that were taken from true masks stand only where there is a mask.
            if entry.id not in opened:
                return None
            return opened[entry.id]
