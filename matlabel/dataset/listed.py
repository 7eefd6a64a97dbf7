"""What labels.csv lists held against the files that there are: what is refused, and what a person should know."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.naming import some
from matlabel.dataset import folder as reader
from matlabel.dataset.images import EXTENSIONS
from matlabel.dataset.matching import match_ids, nearest
from matlabel.settings.dataset import DatasetSettings

_NAMED = 5
_MASK = (".png",)
# Where others keep masks.
_MASK_FOLDERS = ("mask", "segmentationclass", "annotations", "gt", "ground_truth", "groundtruth", "labels")


def notes_on_names(data: Path, images: dict[str, str], listed: Sequence[reader.Tagged]) -> list[str]:
    """Lines on files that no line of labels.csv means, and on ids that are written in another way than their files.

    Args:
        data: the data folder.
        images: stem -> path, of every image.
        listed: labels.csv.
    """
    notes = []
    if unlisted := sorted(images.keys() - {image.id for image in listed}):
        notes.append(f"{data}: {len(unlisted)} images are not in labels.csv and stay out: {some(unlisted)}")
    if others := reader.list_others(data / "images", EXTENSIONS):
        notes.append(
            f"{data / 'images'}: {len(others)} entries are not looked at, as they are no JPEG, PNG, WebP, TIFF or BMP: "
            f"{some(others)}"
        )
    differing: dict[str, list[str]] = defaultdict(list)
    for image in listed:
        if image.differs:
            differing[image.differs].append(f"{image.written} (for {image.id})")
    for what, names in differing.items():
        notes.append(
            f"{data / 'labels.csv'}: {len(names)} ids are taken for files that differ in {what}: {some(names)}"
        )
    return notes


def refuse(
    listed: Sequence[reader.Tagged], settings: DatasetSettings, classes: list[str], data: Path, stems: Sequence[str]
) -> None:
    """Hold every line of labels.csv against the settings.

    Args:
        listed: what takes part.
        settings: what to do with images that are not in order.
        classes: the class names.
        data: the data folder.
        stems: of the images that there are.

    Raises:
        UserError: an unknown tag, an image without tags or without a file that the settings refuse, or a split of which
            they would leave out every image.
    """
    known, table = set(classes), data / "labels.csv"
    for image in listed:
        for tag in image.tags:
            if tag not in known and settings.unknown_class == "refuse":
                message = reader.unknown_tag(data, image, tag, classes)
                raise UserError(f"{message}; correct it, or leave such images out with dataset.unknown_class: reject")
    untagged = [f"{image.id} (line {image.line})" for image in listed if not image.tags]
    if untagged and settings.untagged == "refuse":
        raise UserError(
            f"{table}: {some(untagged, _NAMED)} without tags; tag them, or set dataset.untagged to reject "
            "(leave them out) or background (they show none of the classes)"
        )
    missing = [image for image in listed if image.image is None]
    if missing and settings.unreadable == "refuse":
        raise UserError(
            f"{table}: no image in images/ for {_missing(missing, stems, data)}; add them, or leave them out with "
            "dataset.unreadable: reject"
        )
    for split in dict.fromkeys(image.split for image in listed):
        of_split = [image for image in listed if image.split == split]
        without_tags = [image for image in of_split if not image.tags and settings.untagged == "reject"]
        unknown = [image for image in of_split if set(image.tags) - known]
        absent = [image for image in of_split if image.image is None]
        if len({image.id for image in [*without_tags, *unknown, *absent]}) == len(of_split):
            reasons = [f"{len(without_tags)} without tags"] if without_tags else []
            reasons += [f"{len(unknown)} with tags that are not in classes.txt"] if unknown else []
            reasons += [f"{len(absent)} without a file in images/: {_missing(absent, stems, data)}"] if absent else []
            raise UserError(f"{table}: every image of split {split} would be left out: {'; '.join(reasons)}")


def list_masks(data: Path, images: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Stem of an image -> path of its mask relative to the data folder, and lines on files that are nobody's mask.

    Raises:
        UserError: there are masks, and none is called as an image.
    """
    place = data / "masks"
    if not place.is_dir():
        other = next((path.name for path in sorted(data.iterdir()) if path.name.lower() in _MASK_FOLDERS), None)
        return {}, [f"{data / other}: not looked at; true masks belong in {place}"] if other else []
    files, notes = reader.list_images(data, "masks", _MASK), []
    found = {stem: files[mask] for stem, (mask, _) in match_ids(images, files).items()}
    strangers = sorted(set(files.values()) - set(found.values()))
    if strangers:
        names = [Path(path).name for path in strangers]
        suffix = _suffix([Path(path).stem for path in strangers], images)
        hint = f'; they end in "{suffix}" beside the id: rename them' if suffix else ""
        line = f"{place}: {len(names)} files are called as no image in images/: {some(names)}{hint}"
        if not found:
            raise UserError(f"{line}. A mask is called <id>.png")
        notes.append(line)
    if others := reader.list_others(place, _MASK):
        line = f"{place}: {len(others)} entries are no PNG and are not looked at: {some(others)}"
        if not found:
            raise UserError(f"{line}. A mask is <id>.png, a palette or grey PNG of label values")
        notes.append(line)
    return found, notes


def _suffix(stems: Sequence[str], images: dict[str, str]) -> str | None:
    """What all these names have after that of an image."""
    ends = set()
    for stem in stems:
        image = next((stem[:end] for end in range(len(stem) - 1, 0, -1) if stem[:end] in images), None)
        if image is None:
            return None
        ends.add(stem.removeprefix(image))
    return ends.pop() if len(ends) == 1 else None


def _missing(missing: Sequence[reader.Tagged], stems: Sequence[str], data: Path) -> str:
    """The first few of the images that have no file, each with what comes nearest to it."""
    names, others = [], reader.list_others(data / "images", EXTENSIONS)
    for image in missing[:_NAMED]:
        unread = next((name for name in others if os.path.splitext(name.rstrip("/"))[0] == image.written), None)
        like = None if unread else nearest(image.written, stems)
        if like and ascii(like) != ascii(image.written) and not image.written.isprintable():
            like = f"{like}, the id is {image.written!a}"
        hint = f"; {unread} is not read" if unread else f"; there is {like}" if like else ""
        names.append(f"{image.written} (line {image.line}{hint})")
    names += [""] * (len(missing) - _NAMED)  # only counted
    return some(names, _NAMED)
