"""A folder of IRN's .npy files to a folder of maps that `activations.source: files:` reads."""

import io
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from matlabel.artifacts.atomic import write_bytes
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.naming import some
from matlabel.artifacts.reading import read_bytes
from matlabel.converters.irn import Array, class_maps
from matlabel.converters.objects import MOST_BYTES, read_object
from matlabel.converters.problems import Problems
from matlabel.dataset.file_names import check_id, list_images
from matlabel.dataset.readers.folder import read_classes, read_labels

# Files whose keys are held against the tags before anything is written.
_LOOKED_AT = 64


@dataclass
class Tags:
    """Class names of the data set, and the tags of its images.

    Attributes:
        classes: names of all classes.
        labels: image id -> label values of its tags.
    """

    classes: list[str]
    labels: dict[str, set[int]]


@dataclass
class Converted:
    """Which files were converted, kept or refused.

    Attributes:
        written: ids whose maps were written.
        kept: ids whose maps were there already, the same.
        empty: ids without any class.
        problems: what was not converted, and why.
        notes: what a person should know of the others.
    """

    written: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    notes: list[str] = field(default_factory=list)


def convert_folder(
    folder: Path,
    out: Path,
    data: Path | None = None,
    first: int = 0,
    array: Array | None = None,
    progress: Callable[[list[Path]], Iterable[Path]] = iter,
) -> Converted:
    """Write <id>.npz for each <id>.npy of a folder; what is there already, and the same, is left as it is.

    Args:
        folder: with the .npy files.
        out: folder of the maps; made if missing.
        data: data folder with classes.txt and labels.csv, which the keys are held against; files of other images are
            left out.
        first: the index that stands for the first class.
        array: which maps to take where there are two; None: high_res, if it is there.
        progress: wraps the files while they are converted.

    Raises:
        UserError: no such files, `out` is `folder`, none of them belongs to the data, or the keys fit its tags only
            if they are counted otherwise.
    """
    try:
        files = sorted(Path(entry.path) for entry in os.scandir(folder) if entry.name.endswith(".npy"))
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}; give the folder of the .npy files") from error
    if not files:
        raise UserError(f"{folder}: holds no .npy file")
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is no folder; give one with -o")
    if out.exists() and os.path.samefile(folder, out):
        raise UserError(f"{out}: is the folder that is read; give another one with -o")
    tags = _tags(data) if data else None
    found = Converted()
    if tags:
        files = _of_the_data(files, tags, found.notes)
        _check_first(files[:: len(files) // _LOOKED_AT + 1], tags, first, array)
    for path in progress(files):
        try:
            check_id(path.stem, str(path))
            labels, maps = class_maps(read_object(path), first, array)
            _check_tags(path.stem, labels, tags)
            if labels:
                kept = _write(out / f"{path.stem}.npz", labels, maps)
                (found.kept if kept else found.written).append(path.stem)
            else:
                found.empty.append(path.stem)
        except (UserError, ValueError) as error:
            found.problems.add(path.name, str(error).removeprefix(f"{path}: "))
    return found


def _tags(data: Path) -> Tags:
    classes = read_classes(data)
    places = {name: place for place, name in enumerate(classes, 1)}
    listed = read_labels(data, list_images(data))
    return Tags(classes, {image.id: {places[tag] for tag in image.tags if tag in places} for image in listed})


def _of_the_data(files: list[Path], tags: Tags, notes: list[str]) -> list[Path]:
    """The files whose images are in labels.csv; notes on the others, and on tagged images without a file."""
    stems = {path.stem for path in files}
    foreign = sorted(stems - tags.labels.keys())
    missing = [image_id for image_id, labels in tags.labels.items() if labels and image_id not in stems]
    if len(foreign) == len(files):
        raise UserError(
            f"{files[0].parent}: no file is named as an image of labels.csv; they are {some(foreign)}, its images are "
            f"{some(list(tags.labels))}"
        )
    if foreign:
        notes.append(f"left out, as they are named as no image of labels.csv: {len(foreign)} ({some(foreign)})")
    if missing:
        notes.append(f"tagged images of labels.csv without a file: {len(missing)} ({some(missing)})")
    return [path for path in files if path.stem in tags.labels]


def _check_first(files: list[Path], tags: Tags, first: int, array: Array | None) -> None:
    """Refuse keys that fit the tags only if counted from 0 instead of 1, or from 1 instead of 0."""
    keys = {}
    for path in files:
        try:
            keys[path.stem] = {label - 1 for label in class_maps(read_object(path), 0, array)[0]}
        except (UserError, ValueError):
            continue  # named when it is its turn
    known = [image_id for image_id in keys if tags.labels[image_id]]

    def misfits(counted_from: int) -> int:
        return sum(not tags.labels[each] <= {key - counted_from + 1 for key in keys[each]} for each in known)

    other = 1 - first
    if misfits(first) and 2 * misfits(other) < misfits(first):
        raise UserError(
            f"{misfits(first)} of {len(known)} files have no map of a class that their image is tagged with, counted "
            f"from {first}: their keys look as if they count from {other}; add --first {other}"
        )


def _check_tags(image_id: str, labels: list[int], tags: Tags | None) -> None:
    if tags is None:
        return
    beyond = [label for label in labels if label > len(tags.classes)]
    if beyond:
        raise ValueError(f"has a class {beyond[0]}, counted from 1, and classes.txt names {len(tags.classes)}")
    missing = sorted(tags.labels[image_id] - set(labels))
    if missing:
        names = ", ".join(tags.classes[label - 1] for label in missing)
        raise ValueError(f"has no map of {names}, which the image is tagged with")


def _write(path: Path, labels: list[int], maps: np.ndarray) -> bool:
    """Write the maps of an image, and say whether they were there already."""
    file = io.BytesIO()
    np.savez_compressed(file, classes=np.array(labels), maps=maps)
    if os.path.lexists(path):
        if read_bytes(path, MOST_BYTES) != file.getvalue():
            raise ValueError(f"{path.name} is there with other content; remove it, or give another folder with -o")
        return True
    write_bytes(path, file.getvalue())
    return False
