"""Converting the file cls_labels.npy to labels.csv."""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path

from matlabel.artifacts.atomic import write_text
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.naming import some
from matlabel.artifacts.reading import read_text
from matlabel.converters.cls_labels import labelled, read_list
from matlabel.converters.objects import read_object
from matlabel.converters.problems import Problems
from matlabel.dataset.file_names import list_images
from matlabel.dataset.readers.folder import read_classes


def convert_labels(
    file: Path, classes: Path, out: Path, images: Path | None, lists: list[Path], split: str | None
) -> list[str]:
    """Write labels.csv of the images in cls_labels.npy.

    Args:
        file: cls_labels.npy.
        classes: classes.txt, in the order of the labels.
        out: the file to write; one of other content is never replaced.
        images: folder of the photographs, whose names numbers are matched with; None: images/ beside classes.txt, if
            it is there.
        lists: files that name the images of a split; without any, all are taken.
        split: of all images, or of the one list; None: train, or as each list is named.

    Returns:
        lines for a person.

    Raises:
        UserError: something of it cannot be read or does not fit; a line a kind.
    """
    if classes.name != "classes.txt":
        raise UserError(f"{classes}: give the classes.txt of the data folder, one class a line")
    if len(lists) > 1 and split:
        raise UserError("--split names one split, and there are several lists; each is named as its file is")
    names = read_classes(classes.parent)
    folder = images or classes.parent / "images"
    stems = set(list_images(folder, ".")) if images or folder.is_dir() else None
    splits = _splits(lists, split) if lists else None
    problems = Problems()
    try:
        tags = labelled(read_object(file), names, stems, problems)
    except ValueError as error:
        raise UserError(f"{file}: {error!s:.300}") from error
    if problems:
        raise UserError("\n".join([f"{file}: {len(problems)} images cannot be converted", *problems.lines()]))
    unknown = [image_id for image_id in splits or {} if image_id not in tags]
    if unknown:
        raise UserError(f"{file}: does not know {some(unknown)}, of {' and '.join(str(path) for path in lists)}")
    if splits is None:
        splits = dict.fromkeys(tags, split or "train")
    text = _csv((image_id, splits[image_id], ";".join(tags[image_id])) for image_id in tags if image_id in splits)
    if os.path.lexists(out):
        if read_text(out) != text:
            raise UserError(f"{out}: is there with other content; remove it, or give another file with -o")
    else:
        write_text(out, text)
    lines = [f"{out}: {len(splits)} images, {len(names)} classes"]
    untagged = sum(not tags[image_id] for image_id in splits)
    if untagged:
        lines.append(f"{untagged} images without a class: dataset.untagged says what becomes of them")
    missing = [image_id for image_id in splits if image_id not in stems] if stems is not None else []
    if missing:
        lines.append(f"no photograph in {folder} for {some(missing)}")
    return lines


def _csv(rows: Iterable[tuple[str, str, str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "split", "classes"])
    writer.writerows(rows)
    return out.getvalue()


def _splits(lists: list[Path], split: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in lists:
        name = split or path.stem
        for image_id in read_list(path):
            if found.setdefault(image_id, name) != name:
                raise UserError(f"{path}: {image_id} is of split {found[image_id]} already; an image is of one split")
    return found
