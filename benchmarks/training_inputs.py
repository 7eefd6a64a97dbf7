"""Photographs for the training benchmark, and what loading them takes."""

import hashlib
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import default_collate

from matlabel.cam.samples import TaggedImages
from matlabel.dataset.images import EXTENSIONS
from matlabel.dataset.manifest import Entry, ShardManifest
from matlabel.settings.cam import CamSettings


@dataclass
class Inputs:
    """Training images and one batch of them, crops as the training makes them."""

    samples: TaggedImages
    batch: dict[str, Tensor]


def generated(folder: Path, count: int) -> Path:
    """JPEGs of a photograph's size, smooth with some noise, so that they decode like one."""
    random = np.random.default_rng(0)
    for number in range(count):
        smooth = Image.fromarray(random.integers(0, 255, (12, 16, 3), np.uint8)).resize((500, 375))
        noisy = np.asarray(smooth) + random.normal(0, 8, (375, 500, 3))
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{number:05d}.jpg", quality=90)
    return folder


def photographs(folder: Path, classes: int, most: int = 64) -> ShardManifest:
    """The first images of a folder as a shard. Two of three have one tag, the third two, as in VOC."""
    entries = []
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS)[:most]:
        slot = len(entries)
        tags = {slot % classes, (slot + 1) % classes if slot % 3 == 0 else slot % classes}
        names = tuple(str(number) for number in sorted(tags))
        entries.append(Entry(slot, "train", path.stem, path.name, hashlib.sha256(path.read_bytes()).hexdigest(), names))
    return ShardManifest(folder / "none.csv", "00000", folder, entries)


def pictures(shard: ShardManifest, classes: int, settings: CamSettings) -> Inputs:
    """The first batch; a folder of fewer images repeats them."""
    samples = TaggedImages([shard], [str(number) for number in range(classes)], settings, seed=0)
    chosen = [samples[index % len(samples)] for index in range(settings.batch_size)]
    return Inputs(samples, default_collate(chosen))


def loading(inputs: Inputs, repeats: int) -> float:
    """Median milliseconds to read, decode, crop and recolour an image in one process."""
    taken = []
    for number in range(max(repeats, 3) * 4):
        begin = time.perf_counter()
        torch.utils.data.default_convert(inputs.samples[number % len(inputs.samples)])
        taken.append(time.perf_counter() - begin)
    return 1000 * statistics.median(taken)
