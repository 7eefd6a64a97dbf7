"""A folder of label PNGs that appears complete or not at all."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from matlabel.artifacts.label_image import write_label_image


@contextmanager
def write_png_folder(folder: Path | None) -> Iterator[Callable[[str, np.ndarray], None]]:
    """Yield `add(image_id, labels)`; on success the folder holds <id>.png of each, and nothing else.

    With None nothing is written.
    """
    if folder is None:
        yield lambda image_id, labels: None
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    try:
        yield lambda image_id, labels: write_label_image(temporary / f"{image_id}.png", labels)
        temporary.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
