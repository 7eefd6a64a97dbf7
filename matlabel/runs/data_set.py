"""The data set that a config names: its classes, and the scan of its folder."""

from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.dataset.folder import read_classes
from matlabel.dataset.scan import Scan, scan
from matlabel.settings.dataset import DatasetSettings


def class_names(dataset: DatasetSettings) -> list[str]:
    """The class names, in order: label value 1 is the first.

    Raises:
        UserError: no such folder, or no classes in it.
    """
    if dataset.format == "shapes":
        from matlabel.dataset.shapes import CLASSES

        return list(CLASSES)
    folder = Path(dataset.path or "")
    if not folder.is_dir():
        raise UserError(f"dataset.path: no such folder: {folder}")
    return read_classes(folder)


def scanned(dataset: DatasetSettings, root: Path, classes: list[str], write: bool) -> Scan:
    """The scan of the data folder, or of the demo's pictures.

    Args:
        dataset: its settings.
        root: results/dataset/<key>.
        classes: the class names.
        write: whether the driver's files may be written.

    Raises:
        UserError: something of the data is refused by the settings.
    """
    if dataset.format == "folder":
        data = base = Path(dataset.path or "")
    else:
        from matlabel.dataset.shapes.folder import shapes_folder

        # The pictures must be there to be scanned; a dry run makes them too, where they do not disturb anything.
        data, base = shapes_folder(root, dataset.shapes), root
    return scan(data, base, root, dataset, classes, write)
