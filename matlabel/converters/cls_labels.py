"""Image-level labels as IRN and its descendants keep them, cls_labels.npy: image id -> zeros and ones [K]."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.reading import read_text
from matlabel.converters.problems import Problems
from matlabel.dataset.file_names import check_id

# VOC's 2007_000032, which IRN keeps as the number 2007000032.
_VOC = re.compile(r"((?:19|20)\d\d)(\d{6})")
_SUFFIX = re.compile(r"\.(?:jpe?g|png)$", re.IGNORECASE)
_LAST_NUMBER = re.compile(r"(\d+)$")


def labelled(found: Any, classes: list[str], stems: set[str] | None, problems: Problems) -> dict[str, list[str]]:
    """The tags of the images in cls_labels.npy.

    Args:
        found: what the file holds.
        classes: the class names.
        stems: names of the photographs without suffix, which numbers are matched with; None: not known.
        problems: told what is wrong, by image.

    Returns:
        image id -> names of its classes.

    Raises:
        ValueError: no such dictionary.
    """
    if type(found) is not dict:
        raise ValueError(f"holds a {type(found).__name__} and not a dictionary")
    if not found:
        raise ValueError("holds no image")
    by_number, keys, tags = _by_number(stems or set()), {}, {}
    for key, values in found.items():
        try:
            image_id = _image_id(key, stems, by_number)
            check_id(image_id, "it")
            if image_id in keys:
                raise ValueError(f"is {image_id}, as {keys[image_id]!s:.80} is")
            keys[image_id], tags[image_id] = key, _tags(values, classes)
        except (UserError, ValueError) as error:
            problems.add(f"{key!s:.80}", str(error))
    return tags


def read_list(path: Path) -> list[str]:
    """The image ids of a list such as VOC's train.txt: one a line, or a path to the photograph first.

    Raises:
        UserError: it cannot be read, or names no image.
    """
    lines = [line.split() for line in read_text(path).removeprefix("\ufeff").splitlines()]
    ids = [_SUFFIX.sub("", words[0].rsplit("/", 1)[-1]) for words in lines if words]
    if not ids:
        raise UserError(f"{path}: names no image")
    return ids


def _image_id(key: Any, stems: set[str] | None, by_number: dict[int, list[str]]) -> str:
    """The id of the photograph that a key names."""
    if not isinstance(key, (str, int, np.integer)) or type(key) is bool:
        raise ValueError("is no image id: neither text nor a number")
    text = _SUFFIX.sub("", str(key))
    voc = _VOC.fullmatch(text)
    written = [text, f"{voc[1]}_{voc[2]}"] if voc else [text]
    if stems is None:
        return written[-1]
    for each in written:
        if each in stems:
            return each
    named = by_number.get(int(text), []) if text.isdecimal() and len(text) < 30 else []
    if len(named) == 1:
        return named[0]
    if named:
        raise ValueError(f"may be {named[0]} or {named[1]}: two photographs end in this number")
    return written[-1]


def _by_number(stems: set[str]) -> dict[int, list[str]]:
    """Photographs by the number at the end of their name, as in COCO: 000000000009, COCO_train2014_000000000009."""
    found: dict[int, list[str]] = {}
    for stem in sorted(stems):
        number = _LAST_NUMBER.search(stem)
        if number and number[1].isascii() and len(number[1]) < 30:
            found.setdefault(int(number[1]), []).append(stem)
    return found


def _tags(values: Any, classes: list[str]) -> list[str]:
    if isinstance(values, (list, tuple)) and all(isinstance(value, (int, float, np.generic)) for value in values):
        values = np.array([float(value) for value in values])
    if not isinstance(values, np.ndarray) or values.ndim != 1 or values.dtype.kind not in "biuf":
        raise ValueError("has labels that are no list of numbers")
    if len(values) != len(classes):
        hint = "; its first one may be the background" if len(values) == len(classes) + 1 else ""
        raise ValueError(f"has {len(values)} labels, and there are {len(classes)} classes{hint}")
    if not np.isin(values, (0, 1)).all():
        raise ValueError("has labels other than 0 and 1")
    return [name for name, value in zip(classes, values, strict=True) if value]
