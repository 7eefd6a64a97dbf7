"""The data set that a config names: its classes and its scan."""

from pathlib import Path

from matlabel.dataset.readers import READERS
from matlabel.dataset.scan import Scan, scan
from matlabel.settings.dataset import DatasetSettings


def class_names(dataset: DatasetSettings) -> list[str]:
    """The class names, in order: label value 1 is the first.

    Raises:
        UserError: no such folder, or no classes in it.
    """
    return READERS[dataset.format].classes(dataset)


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
    return scan(READERS[dataset.format].listing(dataset, root), root, dataset, classes, write)
