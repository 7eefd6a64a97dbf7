"""Image files of a folder by their stems, which are the images' ids, and what an id may be."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.dataset.images import EXTENSIONS

# A file system takes names of 255 bytes; an extension and what temporary files add must fit in as well.
MOST_BYTES = 200
_UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f]")


def list_images(folder: Path, subfolder: str = "images", extensions: Iterable[str] = EXTENSIONS) -> dict[str, str]:
    """Stem -> path relative to the folder, of every image in `subfolder`, by name.

    Raises:
        UserError: no such folder, a stem that is no safe file name, or two images of one stem.
    """
    place = folder / subfolder
    try:
        names = sorted(entry.name for entry in os.scandir(place) if entry.is_file())
    except OSError as error:
        raise UserError(f"{place}: {error.strerror}{looks_like(place)}; the photographs belong there") from error
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


def looks_like(path: Path) -> str:
    """' (there is Images)' where something of nearly that name lies beside."""
    try:
        names = os.listdir(path.parent)
    except OSError:
        return ""
    close = next((name for name in sorted(names) if name.casefold() == path.name.casefold()), None)
    return f" (there is {close}: rename it)" if close else ""
