"""Training images of the stage cam: a crop and its tags."""

import copy
from typing import Any

import numpy as np
import torch

from matlabel.dataset.images import load_image
from matlabel.dataset.manifest import ShardManifest, tag_indices
from matlabel.settings.cam import CamSettings
from matlabel.training.crops import crop_generator, random_crop

# The share of a class's images without other tags from which on these speak for it.
ALONE = 0.1


class TaggedImages:
    """Images of some shards: {"image": uint8[3, crop, crop], "tags": float32[K]}."""

    def __init__(self, shards: list[ShardManifest], classes: list[str], settings: CamSettings, seed: int):
        self.entries = [(shard.folder, entry) for shard in shards for entry in shard.entries]
        self.settings, self.seed, self.epoch = settings, seed, 0
        self.tags = np.zeros((len(self.entries), len(classes)), np.float32)
        for row, (_, entry) in enumerate(self.entries):
            self.tags[row, [label - 1 for label in tag_indices(entry, classes)]] = 1

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> dict[str, Any]:
        folder, entry = self.entries[index]
        random = crop_generator(self.seed, self.epoch, entry.id)
        crop, _ = random_crop(load_image(folder, entry), self.settings, random)
        return {
            "image": torch.from_numpy(crop).permute(2, 0, 1).contiguous(),
            "tags": torch.from_numpy(self.tags[index]),
        }

    def only(self, keep: np.ndarray) -> "TaggedImages":
        """The subset of images where bool[N] is True."""
        chosen = copy.copy(self)
        chosen.entries = [entry for entry, kept in zip(self.entries, keep, strict=True) if kept]
        chosen.tags = self.tags[keep]
        return chosen

    def alone(self) -> torch.Tensor:
        """bool[K]: classes that are the only tag of at least a tenth of their images."""
        single = self.tags[self.tags.sum(1) == 1].sum(0)
        # One picture of a dress among hundreds of people in clothes must not be all that is known of dresses.
        return torch.from_numpy((single > 0) & (single >= ALONE * self.tags.sum(0)))
