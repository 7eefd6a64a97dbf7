"""The images, tags and true masks that a data set's own files list."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Tagged:
    """A line of a table of tags with its image.

    Attributes:
        line: in the table.
        id: stem of the image, where there is one; else as written.
        split, tags: as written.
        image: path relative to `Listing.folder`; None when there is no such file.
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


@dataclass(frozen=True)
class Listing:
    """The images, tags and masks that a reader has found, none opened yet, and none rejected that a setting may allow.

    Attributes:
        folder: what the paths below are relative to: `dataset.path`, or a folder inside results/dataset/<key>.
        table: the file that lists the tags; messages name it.
        tagged: what it lists, in its order.
        images: id -> path, of every photograph that there is, listed or not.
        masks: id -> path of the true mask, of every image that has one: palette or grey PNG of label values.
        unread: names of files beside the photographs that are none; a missing image may be among them.
        notes: lines on what a person should know.
        images_in, masks_in: names of the folders of both; messages name them.
    """

    folder: Path
    table: Path
    tagged: list[Tagged]
    images: dict[str, str]
    masks: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    images_in: str = "images"
    masks_in: str = "masks"
