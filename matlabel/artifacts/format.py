"""The format version of all artifacts, part of every key: it grows when older artifacts can no longer be read."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from matlabel.artifacts.naming import some

FORMAT = 3
KEY = re.compile(r"[0-9a-f]{8}")
# The first line of settings.yaml, from format 3 on.
_LINE = re.compile(rb"format: (\d{1,9})\r?\n")


def key_folders(results: Path, stages: Iterable[str]) -> Iterator[Path]:
    """The folders results/<stage>/<key>, by stage and name; no link is followed below `results`."""
    for stage in stages:
        root = results / stage
        if root.is_dir() and not root.is_symlink():
            for path in sorted(root.iterdir()):
                if KEY.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
                    yield path


def is_foreign(folder: Path) -> bool:
    """Whether a folder results/<stage>/<key> was made by another version of matlabel, as its settings.yaml says."""
    try:
        with (folder / "settings.yaml").open("rb") as file:
            found = _LINE.match(file.read(32))
    except OSError:
        return False
    return found is None or int(found[1]) != FORMAT


def foreign_note(folders: Sequence[Path]) -> list[str]:
    """A line that names the folders of another version, says that they are left alone, and what to do; [] for none."""
    if not folders:
        return []
    names = some([f"{folder.parent.name}/{folder.name}" for folder in folders])
    return [
        f"{folders[0].parents[1]}: {names} made by another version of matlabel and left alone; look at it with that "
        "version, or delete it by hand"
    ]
