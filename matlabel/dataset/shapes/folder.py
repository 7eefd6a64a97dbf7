"""Where the generated demo set lies: a folder named by the generator's sources and settings."""

import os
import shutil
import tempfile
from pathlib import Path

from matlabel.artifacts.digest import canonical, file_sha256, text_sha256
from matlabel.settings.dataset import ShapesSettings


def shapes_folder(root: Path, settings: ShapesSettings) -> Path:
    """The demo set under `root`, generated if it is not there yet; complete or not there at all."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = text_sha256(canonical([settings.model_dump(), [file_sha256(path) for path in sources]]))[:12]
    folder = root / f"shapes-{digest}"
    if folder.is_dir():
        return folder
    from matlabel.dataset.shapes.generate import generate

    root.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=root))
    try:
        generate(temporary, seed=settings.seed, splits=settings.splits, size=settings.size)
        temporary.chmod(0o755)
        try:
            os.rename(temporary, folder)
        except OSError:
            # Another driver was faster: its pictures are the same.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder
