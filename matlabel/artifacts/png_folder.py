"""A folder of label PNGs that appears complete or not at all."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import write_label_image


@contextmanager
def write_png_folder(folder: Path | None) -> Iterator[Callable[[str, np.ndarray], None]]:
    """Yield `add(image_id, labels)`; on success the folder holds <id>.png of each, and nothing else.

    With None nothing is written.

    Raises:
        UserError: the folder is there and not empty: what lies in it may be somebody's own.
    """
    if folder is None:
        yield lambda image_id, labels: None
        return
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"{folder}: there already, and not empty; name another folder, or take it away first")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    try:
        yield lambda image_id, labels: write_label_image(temporary / f"{image_id}.png", labels)
        temporary.chmod(0o755)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
