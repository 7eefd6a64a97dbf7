"""The layout `shapes`: the demo's pictures, generated into results/dataset/<key>."""

from pathlib import Path

from matlabel.dataset.listing import Listing
from matlabel.dataset.readers.folder import list_folder
from matlabel.dataset.shapes import CLASSES
from matlabel.dataset.shapes.folder import shapes_folder
from matlabel.settings.dataset import DatasetSettings


def classes(settings: DatasetSettings) -> list[str]:
    """Names of the shapes, in order: label value 1 is the first."""
    return list(CLASSES)


def listing(settings: DatasetSettings, root: Path) -> Listing:
    """The listing of the generated folder, which is written if missing, in a dry run, too."""
    return list_folder(shapes_folder(root, settings.shapes))
