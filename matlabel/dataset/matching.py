"""Matching ids of a table to files, allowing for common changes of names (case, extension, Unicode form)."""

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable

from matlabel.dataset.images import EXTENSIONS

# Names that are compared letter by letter: five thousand take a third of a second.
_MOST_COMPARED = 5000
_ALIKE = 4


def match_ids(ids: Iterable[str], stems: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Find the file of every id: by its exact name first, then by ever looser comparison.

    A file is given to one id only, and an id that fits several files gets none.

    Args:
        ids: as a table has them, each once.
        stems: names of the files that there are, without extension.

    Returns:
        id -> (stem, what the two differ in, "" where they do not); ids without a file are not in it.
    """
    found, left, free = {}, dict.fromkeys(ids), dict.fromkeys(stems)
    for what, plain in _STEPS:
        files: dict[str, list[str]] = defaultdict(list)
        for stem in free:
            files[plain(stem)].append(stem)
        asking: dict[str, list[str]] = defaultdict(list)
        for image_id in left:
            asking[plain(image_id)].append(image_id)
        for name, same in asking.items():
            if len(same) == 1 and len(files.get(name, ())) == 1:
                found[same[0]] = (files[name][0], what)
                del left[same[0]], free[files[name][0]]
        if not left or not free:
            break
    return found


def nearest(name: str, others: Iterable[str]) -> str | None:
    """The most similar name, if one is similar enough; among very many, only names with the same beginning or end."""
    others = list(others)
    if len(others) > _MOST_COMPARED:
        start, end = name[:_ALIKE].casefold(), name[-_ALIKE:].casefold()
        others = [other for other in others if other.casefold().startswith(start) or other.casefold().endswith(end)]
    return next(iter(difflib.get_close_matches(name, others[:_MOST_COMPARED], n=1)), None)


def without_extension(name: str) -> str:
    """The name without the extension of a picture, if it has one."""
    stem, dot, extension = name.rpartition(".")
    return stem if stem and f"{dot}{extension.lower()}" in EXTENSIONS else name


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", without_extension(name))


def _caseless(name: str) -> str:
    return unicodedata.normalize("NFC", _composed(name).casefold())


def _unpadded(name: str) -> str:
    return re.sub(r"\d+", lambda digits: digits[0].lstrip("0") or "0", _caseless(name))


_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("", str),
    ("the extension", without_extension),
    ("the Unicode form", _composed),
    ("upper and lower case", _caseless),
    ("leading zeros", _unpadded),
)
