"""Readers of data sets, one file a layout; `dataset.format` names one of READERS.

A reader is a module with two functions:

- `classes(settings)`: the class names, in order; label value 1 is the first;
- `listing(settings, root)`: a `Listing` of photographs, tags and true masks. `root` is results/dataset/<key>, for what
  a reader has to make.

Both raise `UserError`s that name file, line and fix. What the settings allow or refuse of a listing, which shard an
image belongs to, and whether files have changed, is not a reader's matter (`dataset/scan.py`).
"""

from pathlib import Path
from typing import Protocol

from matlabel.dataset.listing import Listing
from matlabel.dataset.readers import folder, shapes
from matlabel.settings.dataset import DatasetSettings


class Reader(Protocol):
    """The two functions of a reader module."""

    def classes(self, settings: DatasetSettings) -> list[str]: ...

    def listing(self, settings: DatasetSettings, root: Path) -> Listing: ...


READERS: dict[str, Reader] = {"folder": folder, "shapes": shapes}
