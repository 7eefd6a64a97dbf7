"""Reader of the folder format: images/, labels.csv (id,split,classes), classes.txt, perhaps masks/*.png."""

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from matlabel.artifacts.errors import UserError, did_you_mean
from matlabel.dataset.images import EXTENSIONS
from matlabel.dataset.matching import match_ids
from matlabel.dataset.table import read_lines, read_table

MOST_CLASSES = 254
# A file system takes names of 255 bytes; an extension and what temporary files add must fit in as well.
MOST_BYTES = 200
_UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f]")
_BACKGROUND = ("background", "bg")


@dataclass(frozen=True)
class Tagged:
    """A line of labels.csv with its image.

    Attributes:
        line: in labels.csv.
        id: stem of the image, where there is one; else as written.
        split, tags: as written.
        image: path relative to the folder; None when there is no such file.
        written: the id as written.
        differs: what the two differ in; "" where they do not.
    """

    line: int
    id: str
    split: str
    tags: tuple[str, ...]
    image: str | None
    written: str = ""
    differs: str = ""


def read_classes(folder: Path) -> list[str]:
    """Class names of classes.txt, one a line, in order: label value 1 is the first.

    Raises:
        UserError: missing, empty, more than 254, a name twice, or a name that cannot be one.
    """
    path = folder / "classes.txt"
    if not path.exists():
        raise UserError(
            f"{path}: there is no such file{_looks_like(path)}; write one class name on each line, in the order of the "
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
        raise UserError(f"{path}: there is no such file{_looks_like(path)}; its header is id,split,classes")
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


def list_images(folder: Path, subfolder: str = "images", extensions: Iterable[str] = EXTENSIONS) -> dict[str, str]:
    """Stem -> path relative to the folder, of every image in `subfolder`, by name.

    Raises:
        UserError: no such folder, a stem that is no safe file name, or two images of one stem.
    """
    place = folder / subfolder
    try:
        names = sorted(entry.name for entry in os.scandir(place) if entry.is_file())
    except OSError as error:
        raise UserError(f"{place}: {error.strerror}{_looks_like(place)}; the photographs belong there") from error
    found: dict[str, str] = {}
    for name in names:
        stem, extension = os.path.splitext(name)
        if extension.lower() not in extensions or name.startswith("."):
            continue
        check_id(stem, f"{place}/{name}")
        if stem in found:
            raise UserError(f"{place}: {name} and {Path(found[stem]).name} are both {stem}; rename one")
        found[stem] = f"{subfolder}/{name}"
    return found


def list_others(place: Path, extensions: Iterable[str]) -> list[str]:
    """Names of the entries of a folder that are no files of these kinds, hidden ones left out; folders end in /."""
    with os.scandir(place) as entries:
        return sorted(
            entry.name + ("/" if entry.is_dir() else "")
            for entry in entries
            if not entry.name.startswith(".")
            and (not entry.is_file() or os.path.splitext(entry.name)[1].lower() not in extensions)
        )


def check_id(image_id: str, where: str) -> None:
    """Refuse an id that could leave its folder, be read as an option, or be no name of a file.

    Raises:
        UserError: with a slash, a backslash, a NUL or a control character, starting with a dot or a dash, of more than
            200 bytes, or no Unicode.
    """
    if image_id.startswith((".", "-")) or _UNSAFE.search(image_id):
        folder = " (leave the folder out)" if re.search(r"[/\\]", image_id) else ""
        raise UserError(
            f"{where}: the id {image_id!r:.200} must be a plain file stem: no / or \\{folder}, no leading . or -"
        )
    try:
        length = len(image_id.encode())
    except UnicodeEncodeError as error:
        raise UserError(f"{where}: the name {image_id!r:.200} is not in UTF-8; rename the file") from error
    if length > MOST_BYTES:
        raise UserError(f"{where}: the id {image_id[:40]}… has {length} bytes; at most {MOST_BYTES} fit in file names")


def unknown_tag(folder: Path, image: Tagged, tag: str, classes: list[str]) -> str:
    """The message for a tag that is no class."""
    where = f"{folder / 'labels.csv'}, line {image.line}"
    joined = all(part.strip() in classes for part in tag.split(",")) and "," in tag
    hint = ", but its parts are: separate tags by semicolons" if joined else did_you_mean(tag, classes)
    return f'{where}: class "{tag:.60}" is not in classes.txt{hint}'


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


def _looks_like(path: Path) -> str:
    """' (there is Images)' where something of nearly that name lies beside."""
    try:
        names = os.listdir(path.parent)
    except OSError:
        return ""
    close = next((name for name in sorted(names) if name.casefold() == path.name.casefold()), None)
    return f" (there is {close}: rename it)" if close else ""
