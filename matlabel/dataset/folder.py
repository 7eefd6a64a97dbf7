"""Reader of the folder format: images/*.jpg|png, labels.csv (id,split,classes), classes.txt, perhaps masks/*.png."""

import csv
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from matlabel.artifacts.errors import UserError, did_you_mean
from matlabel.dataset.images import EXTENSIONS

MOST_CLASSES = 254
_UNSAFE = re.compile(r"[/\\\x00-\x1f]")


@dataclass(frozen=True)
class Tagged:
    """A line of labels.csv with its image: `image` is None when there is no such file."""

    line: int
    id: str
    split: str
    tags: tuple[str, ...]
    image: str | None


def read_classes(folder: Path) -> list[str]:
    """Class names of classes.txt, one a line, in order: label value 1 is the first.

    Raises:
        UserError: missing, empty, more than 254, a name twice, or a name with a semicolon.
    """
    path = folder / "classes.txt"
    lines = [line.strip() for line in _lines(path)]
    classes = [line for line in lines if line]
    if not classes:
        raise UserError(f"{path}: names no class; write one class name on each line")
    if len(classes) > MOST_CLASSES:
        raise UserError(f"{path}: {len(classes)} classes; label images hold at most {MOST_CLASSES}")
    for number, name in enumerate(lines, 1):
        if ";" in name:
            raise UserError(f'{path}, line {number}: "{name}" holds a semicolon, which separates tags in labels.csv')
        if name and lines.index(name) != number - 1:
            raise UserError(f'{path}, line {number}: "{name}" is named twice')
    return classes


def read_labels(folder: Path, images: dict[str, str]) -> list[Tagged]:
    """The lines of labels.csv in file order, tags as written.

    Args:
        folder: the data folder.
        images: id -> path relative to the folder, of every image there is.

    Raises:
        UserError: missing, without the columns id and classes, or with an id that is twice there or not a file stem.
    """
    path = folder / "labels.csv"
    rows = csv.DictReader(_lines(path))
    missing = {"id", "classes"} - set(rows.fieldnames or ())
    if missing:
        raise UserError(f"{path}, line 1: no column {', '.join(sorted(missing))}; the header is id,split,classes")
    tagged, seen = [], {}
    for row in rows:
        line, image_id = rows.line_num, (row["id"] or "").strip()
        if None in row:
            raise UserError(f"{path}, line {line}: more columns than the header; join classes with ; and not with ,")
        if not image_id:
            continue
        check_id(image_id, f"{path}, line {line}")
        if image_id in seen:
            raise UserError(f"{path}, line {line}: {image_id} stands already in line {seen[image_id]}")
        seen[image_id] = line
        tags = tuple(dict.fromkeys(tag.strip() for tag in (row["classes"] or "").split(";") if tag.strip()))
        split = (row.get("split") or "train").strip()
        tagged.append(Tagged(line, image_id, split, tags, images.get(image_id)))
    if not tagged:
        raise UserError(f"{path}: lists no image")
    return tagged


def list_images(folder: Path, subfolder: str = "images", extensions: Iterable[str] = EXTENSIONS) -> dict[str, str]:
    """Id -> path relative to the folder, of every image in `subfolder`, by name.

    Raises:
        UserError: no such folder, an id that is no safe file name, or two images of one stem.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(folder / subfolder) if entry.is_file())
    except OSError as error:
        raise UserError(f"{folder / subfolder}: {error.strerror}; the photographs belong there") from error
    found: dict[str, str] = {}
    place = folder / subfolder
    for name in names:
        stem, extension = os.path.splitext(name)
        if extension.lower() not in extensions or name.startswith("."):
            continue
        check_id(stem, f"{place}/{name}")
        if stem in found:
            raise UserError(f"{folder / subfolder}: {name} and {Path(found[stem]).name} are both {stem}; rename one")
        found[stem] = f"{subfolder}/{name}"
    return found


def check_id(image_id: str, where: str) -> None:
    """Refuse an id that could leave its folder or be read as an option.

    Raises:
        UserError: with a slash, a backslash, a NUL or a control character, or starting with a dot or a dash.
    """
    if image_id.startswith((".", "-")) or _UNSAFE.search(image_id):
        raise UserError(f"{where}: the id {image_id!r} must be a plain file stem: no / or \\, no leading . or -")


def unknown_tag(folder: Path, image: Tagged, tag: str, classes: list[str]) -> str:
    """The message for a tag that is no class."""
    where = f"{folder / 'labels.csv'}, line {image.line}"
    return f'{where}: class "{tag}" is not in classes.txt{did_you_mean(tag, classes)}'


def _lines(path: Path) -> list[str]:
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front of the header.
        return path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text (byte {error.start})") from error
