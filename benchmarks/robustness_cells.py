"""The data sets and sizes of the robustness benchmark, and how each is made from the folders it is given."""

import csv
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

from matlabel.artifacts.label_image import VOID, read_label_image, write_label_image
from matlabel.dataset.file_names import list_images
from matlabel.dataset.readers.folder import read_classes, read_labels

# Of clothes: without what is in nearly every photograph, or smaller than a hand.
GARMENTS = ("bag", "coat", "dress", "top", "pants", "skirt", "shorts", "hat")


# The backbone of the cells that name none.
SMALL = "resnet18"


@dataclass(frozen=True)
class Cell:
    """A data set at a size, with its tags as they are or spoilt.

    Attributes:
        name: of the row.
        source: folder below the data sets' folder; empty for the generated demo.
        images: split -> how many images of it are trained on; the first split has masks and is scored.
        seeds: how many random seeds.
        classes: the only ones that count; None: all.
        missing, swapped: shares of the tags that are taken away, or replaced by a class that is not tagged.
        shuffled: every image has the tags of another.
        config: what differs from the preset.
        backbone: as cam.backbone.
        variants: of VARIANTS, a row each.
    """

    name: str
    source: str
    images: dict[str, int]
    seeds: int = 3
    classes: tuple[str, ...] | None = None
    missing: float = 0.0
    swapped: float = 0.0
    shuffled: bool = False
    config: dict = field(default_factory=dict)
    backbone: str = SMALL
    variants: tuple[str, ...] = ("plain", "default")

    @property
    def scored(self) -> str:
        """The split whose masks score the labels."""
        return next(iter(self.images))


def _voc(count: int, name: str | None = None, **more) -> Cell:
    sizes = {"train_seg": min(count, 370), "train_sbd": max(count - 370, 0)}
    images = {split: size for split, size in sizes.items() if size}
    seeds = 3 if count < 500 and name is None else 1
    return Cell(name or f"voc6 {count}", "voc6", images, seeds, **more)


CLOTHES = {"train_seg": 200, "train": 400}
UNTAGGED = {"dataset": {"untagged": "background"}}
CELLS = [
    *map(_voc, (60, 120, 250, 500, 1200)),
    _voc(1200, "voc6 1200, ResNet-50", backbone="resnet50"),
    Cell("clothes", "clothes", CLOTHES),
    Cell("tiles", "tiles", {"train": 563}, seeds=1, config=UNTAGGED),
    Cell("garments 172", "clothes", {"train_seg": 86, "train": 86}, classes=GARMENTS, config=UNTAGGED),
    _voc(500, "voc6 500, tags missing", missing=0.1, config=UNTAGGED),
    _voc(500, "voc6 500, tags swapped", swapped=0.05),
    Cell("clothes, tags missing", "clothes", CLOTHES, 1, missing=0.1, config=UNTAGGED),
    Cell("clothes, tags swapped", "clothes", CLOTHES, 1, swapped=0.05),
    Cell("demo", "", {"train": 320}),
]


# A training that is made to fail: each of these rows has to be warned of.
UNCHECKED = {"warmup": 0, "consistency": 1.0}
FAILING = [
    _voc(250, "tags shuffled", shuffled=True, config={"dataset": {"masks": "note"}}, variants=("default",)),
    _voc(250, "terms from step 0", config={"cam": UNCHECKED}, variants=("default",)),
    _voc(250, "learning rate x 30", config={"cam": {"lr": 0.3}}, variants=("default",)),
    _voc(250, "trunk from noise", config={"cam": {"weights": "none"}}, variants=("default",)),
    _voc(250, "fallback off", config={"cam": {**UNCHECKED, "fallback": "off"}}, variants=("default",)),
]
QUICK = ("voc6 60", "demo", "tags shuffled")

PLAIN = {
    "cam": {"category": 0, "foreground": 0, "consistency": 0, "exclusivity": 0, "paste": 0},
    "activations": {"from": "maps"},
}
VARIANTS = {"default": {}, "plain": PLAIN}
ROOT = Path(__file__).resolve().parents[1]


def config_of(cell: Cell, variant: str, seed: int, data: Path | None, weights: str, threads: int) -> dict:
    """The config of a row: the preset for one's own images, or the demo's; no segmenter.

    Args:
        data: the cell's folder; None: the demo.
        weights: path of the backbone's state dict.
    """
    base = ROOT / ("workflow/presets/own-images.yaml" if data else "config.yaml")
    config = yaml.safe_load(base.read_text())
    if data:
        config["dataset"] |= {"path": str(data), "shard_size": 1024}
        config["cam"] |= {"backbone": cell.backbone, "weights": weights}
    config["cam"]["threads"] = config["activations"]["threads"] = threads
    config["segmenter"]["train"] = False
    config["labels"] = {**config.get("labels", {}), "splits": [cell.scored]}
    config["evaluation"] |= {"label_splits": [cell.scored], "bootstrap": 0}
    config["seeds"] = [seed]
    for changes in (cell.config, VARIANTS[variant]):
        for block, values in changes.items():
            config[block] = {**config[block], **values}
    return config


def data_folder(cell: Cell, work: Path) -> Path:
    """Where the data set of a cell is made."""
    return work / "data" / cell.name.replace(" ", "-").replace(",", "")


def build(cell: Cell, sets: Path, folder: Path) -> Path:
    """A data set in the folder format with the cell's images, tags and masks; made once.

    Args:
        cell: of a source.
        sets: the folder that holds the sources.
        folder: where the data set is made.
    """
    if (folder / "labels.csv").exists():
        return folder
    source = sets / cell.source
    names = read_classes(source)
    kept = [name for name in names if cell.classes is None or name in cell.classes]
    listed = read_labels(source, list_images(source))
    tags = {image.id: [tag for tag in image.tags if tag in kept] for image in listed}
    chosen = [
        image.id
        for split, count in cell.images.items()
        for image in _first([image for image in listed if image.split == split], count, lambda image: image.id)
    ]
    split_of = {image.id: image.split for image in listed}
    tags = _spoilt({image_id: tags[image_id] for image_id in chosen}, kept, cell)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in kept))
    _pictures(source, folder, chosen)
    _masks(source / "masks", folder / "masks", chosen, names, kept)
    # Last: a folder with it is whole.
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "split", "classes"])
        writer.writerows([image_id, split_of[image_id], ";".join(tags[image_id])] for image_id in chosen)
    return folder


def _first(items: list, count: int, name: Callable) -> list:
    """By hash, so that a larger cell holds the smaller one."""
    return sorted(items, key=lambda item: hashlib.sha256(name(item).encode()).digest())[:count]


def _spoilt(tags: dict[str, list[str]], classes: list[str], cell: Cell) -> dict[str, list[str]]:
    if cell.shuffled:
        ids = list(tags)
        order = np.random.default_rng(0).permutation(len(ids))
        return {image_id: tags[ids[other]] for image_id, other in zip(ids, order, strict=True)}
    spoilt = {}
    for image_id, own in tags.items():
        random = np.random.default_rng(int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big"))
        absent = [name for name in classes if name not in own]
        left = []
        for tag in own:
            draw = random.random()
            if draw < cell.missing:
                continue
            if draw < cell.missing + cell.swapped and absent:
                tag = absent.pop(int(random.integers(len(absent))))
            left.append(tag)
        spoilt[image_id] = sorted(set(left), key=classes.index)
    return spoilt


def _pictures(source: Path, folder: Path, chosen: list[str]) -> None:
    (folder / "images").mkdir(exist_ok=True)
    found = list_images(source)
    for image_id in chosen:
        path = source / found[image_id]
        target = folder / "images" / path.name
        if not target.exists():
            target.symlink_to(path.resolve())


def _masks(source: Path, folder: Path, chosen: list[str], names: list[str], kept: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    values = np.zeros(256, np.uint8)
    values[VOID] = VOID
    for value, name in enumerate(kept, 1):
        values[names.index(name) + 1] = value
    for image_id in chosen:
        path = source / f"{image_id}.png"
        if not path.exists():
            continue
        if kept == names:
            shutil.copyfile(path, folder / path.name)
        else:
            write_label_image(folder / path.name, values[read_label_image(path, len(names))])
