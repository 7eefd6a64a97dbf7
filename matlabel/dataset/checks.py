"""Which images of a data set are accepted: each is opened once, and its tags are checked."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.reading import ChangedError
from matlabel.dataset.images import load_image
from matlabel.dataset.manifest import Entry
from matlabel.settings.dataset import DatasetSettings

_THREADS = 4
_NAMED = 20


def check_images(
    folder: Path, entries: Iterable[Entry], classes: list[str], settings: DatasetSettings
) -> tuple[dict[str, list[int]], dict[str, str], list[str]]:
    """Open every image once.

    Args:
        folder: what the entries' paths are relative to.
        entries: of the manifest.
        classes: the class names.
        settings: of the data set.

    Returns:
        id -> [H, W] of sound images, id -> reason of all others, and the reasons of those that cannot be opened.
    """
    sizes, rejected, unreadable = {}, {}, []
    for entry in entries:
        if reason := wrong_tags(entry, classes, settings):
            rejected[entry.id] = reason
            continue
        size = _size(folder, entry, settings)
        if isinstance(size, list):
            sizes[entry.id] = size
        else:
            rejected[entry.id] = size
            unreadable.append(size)
    return sizes, rejected, unreadable


def check_all(
    folder: Path, entries: Sequence[Entry], classes: list[str], settings: DatasetSettings
) -> tuple[dict[str, str], list[str]]:
    """As `check_images`, several at a time, without the sizes.

    Returns:
        id -> reason of the images that are left out, and the reasons of those that cannot be opened.

    Raises:
        UserError: some cannot be opened, and dataset.unreadable is refuse.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        checked = list(pool.map(lambda entry: check_images(folder, [entry], classes, settings), entries))
    unreadable = [reason for _, _, reasons in checked for reason in reasons]
    refuse_unreadable(unreadable, settings)
    return {image_id: reason for _, rejected, _ in checked for image_id, reason in rejected.items()}, unreadable


def refuse_unreadable(unreadable: Sequence[str], settings: DatasetSettings) -> None:
    """Stop because of images that cannot be opened, if the settings say so.

    Raises:
        UserError: a line for each of the first.
    """
    if unreadable and settings.unreadable == "refuse":
        more = [f"and {len(unreadable) - _NAMED} more"] if len(unreadable) > _NAMED else []
        raise UserError(
            "\n".join([*unreadable[:_NAMED], *more, "replace them, or leave them out with dataset.unreadable: reject"])
        )


def _size(folder: Path, entry: Entry, settings: DatasetSettings) -> list[int] | str:
    """[H, W] of an image, or why it cannot be opened."""
    try:
        if not entry.sha256:
            raise UserError(f"{folder / entry.path}: no image of this name, or it cannot be read")
        return list(load_image(folder, entry, settings.max_pixels).shape[:2])
    except ChangedError:
        raise  # no fault of the picture: the run has to be planned again
    except UserError as error:
        return str(error)


def wrong_tags(entry: Entry, classes: list[str], settings: DatasetSettings) -> str | None:
    """Why an image is rejected for its tags, or None."""
    unknown = [tag for tag in entry.tags if tag not in classes]
    if unknown:
        return f"{entry.id}: tag {', '.join(unknown)} is not in classes.txt"
    if not entry.tags and settings.untagged == "reject":
        return f"{entry.id}: no tags"
    return None
