"""Training images of the stage segmenter: a crop and its pseudo-label."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from matlabel.artifacts.label_image import VOID
from matlabel.artifacts.shard import open_shard
from matlabel.dataset.images import load_image
from matlabel.dataset.manifest import ShardManifest
from matlabel.settings.segmenter import SegmenterSettings
from matlabel.training.crops import crop_generator, random_crop


class LabelledImages:
    """Images of some shards with their labels, read from the shards as they are needed.

    Gives {"image": uint8[3, crop, crop], "labels": uint8[crop, crop]} and, by the target, "margin" or "alphas".
    """

    def __init__(
        self,
        shards: list[ShardManifest],
        labels: Path,
        mattes: Path | None,
        classes: int,
        settings: SegmenterSettings,
        seed: int,
    ):
        self.entries = [(shard, entry) for shard in shards for entry in shard.entries]
        self.labels, self.mattes, self.classes = labels, mattes, classes
        self.settings, self.seed, self.epoch = settings, seed, 0

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> dict[str, Any]:
        shard, entry = self.entries[index]
        planes = {}
        with open_shard(self.labels / f"shard-{shard.number}.h5", "labels") as source:
            planes["labels"] = (source.read(entry.id, "labels"), VOID, False)
            if self.settings.target == "margin":
                planes["margin"] = (source.read(entry.id, "margin"), 0, False)
        present = np.zeros(0, np.uint8)
        if self.settings.target == "soft":
            with open_shard(self.mattes / f"shard-{shard.number}.h5", "mattes") as source:
                found = source[entry.id]
            present = found["classes"]
            planes.update({f"alpha {row}": (plane, 0, True) for row, plane in enumerate(found["alphas"])})
        random = crop_generator(self.seed, self.epoch, entry.id)
        image, cut = random_crop(load_image(shard.folder, entry), self.settings, random, planes)
        sample = {
            "image": torch.from_numpy(image).permute(2, 0, 1).contiguous(),
            "labels": torch.from_numpy(cut["labels"]),
        }
        if self.settings.target == "margin":
            sample["margin"] = torch.from_numpy(cut["margin"])
        if self.settings.target == "soft":
            alphas = np.zeros((self.classes + 1, *image.shape[:2]), np.uint8)
            for row, value in enumerate([0, *present.tolist()]):
                alphas[value] = cut[f"alpha {row}"]
            sample["alphas"] = torch.from_numpy(alphas)
        return sample
