"""Refusing a data set whose table breaks the settings."""

import os
from collections.abc import Sequence

from matlabel.artifacts.errors import UserError, did_you_mean
from matlabel.artifacts.naming import some
from matlabel.dataset.listing import Listing, Tagged
from matlabel.dataset.matching import nearest
from matlabel.settings.dataset import DatasetSettings

_NAMED = 5


def refuse(listed: Sequence[Tagged], listing: Listing, settings: DatasetSettings, classes: list[str]) -> None:
    """Check every line of the table of tags against the settings.

    Args:
        listed: what takes part, of the listing.
        listing: all that the reader found.
        settings: what to do with images that are not in order.
        classes: the class names.

    Raises:
        UserError: an unknown tag, an image without tags or without a file that the settings refuse, or a split of which
            they would leave out every image.
    """
    known, table, place = set(classes), listing.table, listing.images_in
    for image in listed:
        for tag in image.tags:
            if tag not in known and settings.unknown_class == "refuse":
                message = _unknown_tag(f"{table}, line {image.line}", tag, classes)
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
            f"{table}: no image in {place}/ for {_missing(missing, listing)}; add them, or leave them out with "
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
            reasons += [f"{len(absent)} without a file in {place}/: {_missing(absent, listing)}"] if absent else []
            raise UserError(f"{table}: every image of split {split} would be left out: {'; '.join(reasons)}")


def _missing(missing: Sequence[Tagged], listing: Listing) -> str:
    """The first few images without a file, each with the most similar file name."""
    names, stems = [], list(listing.images)
    for image in missing[:_NAMED]:
        unread = next((name for name in listing.unread if os.path.splitext(name.rstrip("/"))[0] == image.written), None)
        like = None if unread else nearest(image.written, stems)
        if like and ascii(like) != ascii(image.written) and not image.written.isprintable():
            like = f"{like}, the id is {image.written!a}"
        hint = f"; {unread} is not read" if unread else f"; there is {like}" if like else ""
        names.append(f"{image.written} (line {image.line}{hint})")
    names += [""] * (len(missing) - _NAMED)  # only counted
    return some(names, _NAMED)


def _unknown_tag(where: str, tag: str, classes: list[str]) -> str:
    joined = all(part.strip() in classes for part in tag.split(",")) and "," in tag
    hint = ", but its parts are: separate tags by semicolons" if joined else did_you_mean(tag, classes)
    return f'{where}: class "{tag:.60}" is not in classes.txt{hint}'
