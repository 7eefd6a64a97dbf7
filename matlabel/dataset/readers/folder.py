"""The layout `folder`: images/, labels.csv (id,split,classes), classes.txt, perhaps masks/*.png."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.naming import some
from matlabel.dataset.file_names import MOST_BYTES, check_id, list_images, list_others, looks_like
from matlabel.dataset.images import EXTENSIONS
from matlabel.dataset.listing import Listing, Tagged
from matlabel.dataset.matching import match_ids
from matlabel.dataset.table import read_lines, read_table
from matlabel.settings.dataset import DatasetSettings

MOST_CLASSES = 254
_BACKGROUND = ("background", "bg")
_MASK = (".png",)
# Where others keep masks.
_MASK_FOLDERS = ("mask", "segmentationclass", "annotations", "gt", "ground_truth", "groundtruth", "labels")


def classes(settings: DatasetSettings) -> list[str]:
    """The class names, in order: label value 1 is the first.

    Raises:
        UserError: no such folder, or no classes in it (see `read_classes`).
    """
    return read_classes(_data(settings))


def listing(settings: DatasetSettings, root: Path) -> Listing:
    """The images, tags and masks of the folder.

    Raises:
        UserError: a file is missing or no such table, an id is there twice, or masks are called as no image.
    """
    return list_folder(_data(settings))


def list_folder(folder: Path) -> Listing:
    """The listing of a folder of this layout."""
    images = list_images(folder)
    tagged = read_labels(folder, images)
    masks, on_masks = list_masks(folder, images)
    unread = list_others(folder / "images", EXTENSIONS)
    notes = [*notes_on_names(folder, images, tagged, unread), *on_masks]
    return Listing(folder, folder / "labels.csv", tagged, images, masks, unread, notes)


def read_classes(folder: Path) -> list[str]:
    """Class names of classes.txt, one a line, in order: label value 1 is the first.

    Raises:
        UserError: missing, empty, more than 254, a name twice, or a name that cannot be one.
    """
    path = folder / "classes.txt"
    if not path.exists():
        raise UserError(
            f"{path}: there is no such file{looks_like(path)}; write one class name on each line, in the order of the "
            "label values that your masks have, if there are any: the first line is 1"
        )
    lines = [line.strip() for line in read_lines(path)]
    classes = [line for line in lines if line]
    if not classes:
        raise UserError(f"{path}: names no class; write one class name on each line")
    if len(classes) > MOST_CLASSES:
        raise UserError(f"{path}: {len(classes)} classes; label images hold at most {MOST_CLASSES}")
    seen: dict[str, int] = {}
    for number, name in enumerate(lines, 1):
        if not name:
            continue
        if problem := _no_class_name(name):
            raise UserError(f'{path}, line {number}: "{name:.60}" {problem}')
        plain = unicodedata.normalize("NFC", name).casefold()
        if plain in seen:
            raise UserError(f'{path}, line {number}: "{name}" is named twice, first in line {seen[plain]}')
        seen[plain] = number
    return classes


def read_labels(folder: Path, images: dict[str, str]) -> list[Tagged]:
    """The lines of labels.csv in file order, each with its image.

    Args:
        folder: the data folder.
        images: stem -> path relative to the folder, of every image there is.

    Raises:
        UserError: not such a table (see `read_table`), or an id that is there twice or no file stem.
    """
    path = folder / "labels.csv"
    if not path.exists():
        raise UserError(f"{path}: there is no such file{looks_like(path)}; its header is id,split,classes")
    rows, seen = read_table(path), {}
    for row in rows:
        check_id(row.id, f"{path}, line {row.line}")
        if row.id in seen:
            raise UserError(
                f"{path}, line {row.line}: {row.id} stands already in line {seen[row.id]}; give each image one line, "
                "its tags joined with ;"
            )
        seen[row.id] = row.line
    found, tagged = match_ids(seen, images), []
    for row in rows:
        stem, differs = found.get(row.id, (None, ""))
        image = images[stem] if stem else None
        tagged.append(Tagged(row.line, stem or row.id, row.split, row.tags, image, row.id, differs))
    return tagged


def notes_on_names(data: Path, images: dict[str, str], listed: Sequence[Tagged], unread: Sequence[str]) -> list[str]:
    """Notes on files that no line of labels.csv names, and on ids spelt differently from their files.

    Args:
        data: the data folder.
        images: stem -> path, of every image.
        listed: labels.csv.
        unread: what else lies in images/.
    """
    notes = []
    if unlisted := sorted(images.keys() - {image.id for image in listed}):
        notes.append(f"{data}: {len(unlisted)} images are not in labels.csv and stay out: {some(unlisted)}")
    if unread:
        notes.append(
            f"{data / 'images'}: {len(unread)} entries are not looked at, as they are no JPEG, PNG, WebP, TIFF or BMP: "
            f"{some(unread)}"
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


def list_masks(data: Path, images: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Stem of an image -> path of its mask relative to the data folder, and notes on files that are no image's mask.

    Raises:
        UserError: there are masks, and none is called as an image.
    """
    place = data / "masks"
    if not place.is_dir():
        other = next((path.name for path in sorted(data.iterdir()) if path.name.lower() in _MASK_FOLDERS), None)
        return {}, [f"{data / other}: not looked at; true masks belong in {place}"] if other else []
    files, notes = list_images(data, "masks", _MASK), []
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
    if others := list_others(place, _MASK):
        line = f"{place}: {len(others)} entries are no PNG and are not looked at: {some(others)}"
        if not found:
            raise UserError(f"{line}. A mask is <id>.png, a palette or grey PNG of label values")
        notes.append(line)
    return found, notes


def _data(settings: DatasetSettings) -> Path:
    folder = Path(settings.path or "")
    if not folder.is_dir():
        raise UserError(f"dataset.path: no such folder: {folder}")
    return folder


def _no_class_name(name: str) -> str | None:
    if ";" in name:
        return "holds a semicolon, which separates tags in labels.csv"
    if not name.isprintable():
        return "holds a character that is not printed"
    if len(name.encode(errors="replace")) > MOST_BYTES:
        return f"is longer than {MOST_BYTES} bytes"
    if name.casefold().strip("_- ") in _BACKGROUND:
        return "is no class: background is label value 0 by itself, the first line is 1; take the line out"
    return None


def _suffix(stems: Sequence[str], images: dict[str, str]) -> str | None:
    """The suffix that all these names have after an image's stem."""
    ends = set()
    for stem in stems:
        image = next((stem[:end] for end in range(len(stem) - 1, 0, -1) if stem[:end] in images), None)
        if image is None:
            return None
        ends.add(stem.removeprefix(image))
    return ends.pop() if len(ends) == 1 else None
