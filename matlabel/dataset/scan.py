"""The driver's scan: images, their digests and tags, assigned to shards before any job is planned."""

import csv
import hashlib
import io
import os
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from matlabel.artifacts.atomic import add_text, write_text
from matlabel.artifacts.digest import text_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.lock import exclusive
from matlabel.artifacts.reading import read_text
from matlabel.dataset.checks import wrong_tags
from matlabel.dataset.index import FileIndex
from matlabel.dataset.listing import Listing, Tagged
from matlabel.dataset.manifest import Entry, shard_text
from matlabel.dataset.mask_facts import MaskIndex, Pair
from matlabel.dataset.masks import MaskReport, check_masks
from matlabel.dataset.refusals import refuse
from matlabel.settings.dataset import DatasetSettings


@dataclass(frozen=True)
class ShardFiles:
    """One shard of the scanned data set; the paths are of content-addressed files."""

    number: str
    split: str
    images: int
    csv: Path
    masks: Path | None


@dataclass
class Scan:
    """The scanned data set: shards by number, in order.

    Attributes:
        folder: what the entries' paths are relative to.
        shards: number -> shard.
        max_pixels: of a photograph that takes part.
        notes: what a person should know and nothing refuses.
        ids: image id -> number of its shard.
        entries: image id -> its line of the manifest.
    """

    folder: Path
    max_pixels: int
    shards: dict[str, ShardFiles] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def splits(self) -> list[str]:
        """Names of the splits, in order of appearance."""
        return list(dict.fromkeys(shard.split for shard in self.shards.values()))

    def without(self, rejected: Collection[str]) -> "Scan":
        """The same without some images.

        Raises:
            UserError: a split has no other.
        """
        left = {image_id: entry for image_id, entry in self.entries.items() if image_id not in rejected}
        if empty := [split for split in self.splits if not any(entry.split == split for entry in left.values())]:
            raise UserError(f"{self.folder}: every image of split {empty[0]} would be left out")
        return replace(self, entries=left)

    def has_masks(self, split: str) -> bool:
        """Whether any image of a split has a true mask."""
        return any(shard.masks for shard in self.shards.values() if shard.split == split)

    def masked(self, split: str) -> bool:
        """Whether every shard of a split has true masks."""
        return all(shard.masks for shard in self.shards.values() if shard.split == split)


def scan(listing: Listing, root: Path, settings: DatasetSettings, classes: list[str], write: bool) -> Scan:
    """Put the images of a listing into shards.

    Args:
        listing: what the reader of the data set found.
        root: results/dataset/<key>, where order.csv, index.csv and the shard CSVs lie.
        settings: subset, shard size, and what to do with images that are not in order.
        classes: the class names.
        write: whether to write; without, the result is the same and nothing is touched.

    Raises:
        UserError: something of the data is refused by the settings.
    """
    # What the paths in the manifest are relative to: what the user named, or what was made in `root`.
    base = Path(settings.path) if settings.path else root
    # Joined as text: a hundred thousand Path objects take longer to make than their files to look at.
    prefix, folder = _beginning(listing.folder.relative_to(base)), _beginning(listing.folder)
    masks = listing.masks
    found = Scan(base, settings.max_pixels, notes=list(listing.notes))
    listed = _subset(listing, settings.subset)
    refuse(listed, listing, settings, classes)

    index = FileIndex(root / "index.csv")
    # Two drivers that start at once must not both give out the next slot.
    with exclusive(root / ".lock") if write else nullcontext():
        shards = _order(root / "order.csv", listed, settings.shard_size, write)
        for number, placed in shards.items():
            for slot, image in placed:
                path = prefix + (image.image or f"{listing.images_in}/{image.id}")
                digest = index.sha256(base, path) if image.image else ""
                tags = sorted(image.tags, key=lambda tag: classes.index(tag) if tag in classes else len(classes))
                found.ids[image.id] = number
                found.entries[image.id] = Entry(slot, image.split, image.id, path, digest, tuple(tags))
        digests = {
            image_id: index.sha256(base, prefix + masks[image_id]) for image_id in found.ids if image_id in masks
        }
        if write:
            index.save()  # before what may refuse: the next attempt reads no file again
        report = _check_masks(found, listing, root, digests, settings, classes, write)
        for number, placed in shards.items():
            entries = [found.entries[image.id] for _, image in placed]
            pairs = [
                (entry.id, folder + masks[entry.id], digests[entry.id], "index" if report.by_index else "colour")
                for entry in entries
                if entry.id in digests and entry.id not in report.unusable
            ]
            found.shards[number] = ShardFiles(
                number,
                entries[0].split,
                len(entries),
                _add(root, f"shard-{number}", shard_text(entries), write),
                _add(root, f"masks-{number}", files_text(pairs, read=True), write) if pairs else None,
            )
    return found


def _check_masks(
    found: Scan,
    listing: Listing,
    root: Path,
    digests: dict[str, str],
    settings: DatasetSettings,
    classes: list[str],
    write: bool,
) -> MaskReport:
    """Which masks cannot be used, and how the others are read; oddities are added to the notes.

    Raises:
        UserError: masks that cannot be used or contradict the tags throughout, and dataset.masks is refuse.
    """
    pairs = [
        Pair(
            image_id,
            tuple(classes.index(tag) + 1 for tag in found.entries[image_id].tags if tag in classes),
            found.folder / found.entries[image_id].path,
            listing.folder / listing.masks[image_id],
            text_sha256(f"{found.entries[image_id].sha256} {digest}")[:16],
        )
        for image_id, digest in digests.items()
        if not wrong_tags(found.entries[image_id], classes, settings)
    ]
    index = MaskIndex(root / "masks.csv")
    report = check_masks(
        pairs, index.facts(pairs, len(classes), settings.max_pixels), classes, listing.folder / listing.masks_in
    )
    if write and pairs:
        index.save()
    found.notes += report.notes
    if report.errors and settings.masks == "refuse":
        way_out = "correct them, or set dataset.masks: note, which leaves those out that cannot be used"
        raise UserError("\n".join([*report.errors, *report.notes, way_out]))
    found.notes += report.errors
    return report


def files_text(rows: Iterable[tuple[str, ...]], read: bool = False) -> str:
    """CSV of files that belong to images: id, path, SHA-256 and, of masks, what is read: colour or index."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "path", "sha256", *(["read"] if read else [])])
    writer.writerows(rows)
    return out.getvalue()


def _beginning(folder: Path) -> str:
    """The prefix of the paths of files in `folder`."""
    return "" if folder == Path() else os.path.join(folder, "")


def _add(root: Path, name: str, text: str, write: bool) -> Path:
    path = root / f"{name}-{text_sha256(text)[:12]}.csv"
    return add_text(path, text) if write else path


def _subset(listing: Listing, subset: dict[str, int]) -> list[Tagged]:
    listed = listing.tagged
    splits = list(dict.fromkeys(image.split for image in listed))
    for split in subset:
        if split not in splits:
            raise UserError(f"dataset.subset names the split {split}; {listing.table} has {', '.join(splits)}")
    chosen = set()
    for split in splits:
        ids = [image.id for image in listed if image.split == split]
        # By hash: file order often goes with class or source, and a larger subset must hold the smaller one.
        ids.sort(key=lambda image_id: hashlib.sha256(image_id.encode()).digest())
        chosen.update(ids[: subset.get(split, len(ids))])
    return [image for image in listed if image.id in chosen]


def _ordered(path: Path) -> list[tuple[str, str, str, str]]:
    """Split, shard, slot and id of every image that ever had a slot.

    Raises:
        UserError: not what this program writes; made anew, it would give other slots than the artifacts have.
    """
    try:
        rows = list(csv.reader(io.StringIO(read_text(path), newline=""), strict=True))[1:]
        found = [(split, f"{int(shard):05d}", str(int(slot)), image_id) for split, shard, slot, image_id in rows]
    except (csv.Error, ValueError) as error:
        raise UserError(
            f"{path}: damaged ({error!s:.100}); bring it back, or delete {path.parent}, and all is computed anew"
        ) from error
    return found


def _order(path: Path, listed: list[Tagged], size: int, write: bool) -> dict[str, list[tuple[int, Tagged]]]:
    """Shard number -> [(slot, image)]: slots are given once, new images append, removed ones leave a gap."""
    rows = _ordered(path) if path.exists() else []
    placed = {(split, image_id): (shard, int(slot)) for split, shard, slot, image_id in rows}
    last: dict[str, tuple[int, int]] = {}
    for split, shard, slot, _ in rows:
        last[split] = max(last.get(split, (-1, -1)), (int(shard), int(slot)))
    following = max((int(shard) for _, shard, _, _ in rows), default=-1) + 1
    known = len(rows)
    for image in listed:
        if (image.split, image.id) in placed:
            continue
        shard, slot = last.get(image.split, (-1, size))
        if slot + 1 >= size or shard < 0:
            shard, slot, following = following, -1, following + 1
        last[image.split] = (shard, slot + 1)
        placed[image.split, image.id] = (f"{shard:05d}", slot + 1)
        rows.append((image.split, f"{shard:05d}", str(slot + 1), image.id))
    if write and len(rows) > known:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["split", "shard", "slot", "id"])
        writer.writerows(rows)
        write_text(path, out.getvalue())
    shards: dict[str, list[tuple[int, Tagged]]] = defaultdict(list)
    for image in listed:
        shard, slot = placed[image.split, image.id]
        shards[shard].append((slot, image))
    return {number: sorted(shards[number], key=lambda pair: pair[0]) for number in sorted(shards)}
