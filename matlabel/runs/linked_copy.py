"""A working directory copied by links, in which `snakemake -n` and the like run without changing the original.

Even `snakemake -n` writes: a lock folder, a cache of file times, and of ours the driver's files.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matlabel.runs.snakemake_internals import FOLDER, INCOMPLETE, METADATA

_UPWARDS = re.compile(r"(?:^|[/:])\.\.(?=/|$)")
# results/<stage>/<key>: folders down to here are made anew, so that new files can appear in them.
_DEPTH = 2
# Only read: a dry run writes neither.
_RECORDS = (METADATA, INCOMPLETE)


@contextlib.contextmanager
def linked_copy(folder: Path, config: Any) -> Iterator[Path]:
    """Change into a linked copy of a working directory: every path relative to `folder` leads to the same file.

    Files that are written, replaced or deleted by name are so in the copy alone. The process's current folder is
    changed, so not for two threads at once.

    Args:
        folder: to be copied, absolute.
        config: the merged config; where it names `../`, that many folders above are copied, too.

    Yields:
        the copy's path. It is deleted in the end.
    """
    with tempfile.TemporaryDirectory(prefix="matlabel-") as temporary:
        copy = Path(temporary, *folder.parts[1:])
        copy.mkdir(parents=True, exist_ok=True)
        for above in [folder, *folder.parents][: _levels(config)]:
            _link_all(above.parent, Path(temporary, *above.parent.parts[1:]))
        (copy / FOLDER).mkdir()
        for records in _RECORDS:
            _link(folder / records, copy / records)
        if (folder / "results").is_dir():
            _copy(folder / "results", copy / "results", _DEPTH)
        _link_all(folder, copy, leave=("logs",))
        with contextlib.chdir(copy):
            yield copy


def _copy(source: Path, target: Path, depth: int) -> None:
    target.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError), os.scandir(source) as entries:
        for entry in entries:
            if depth and entry.is_dir() and entry.name != "runs":
                _copy(source / entry.name, target / entry.name, depth - 1)
            elif not entry.name.startswith("."):
                # Hidden: a lock that a driver would open, or a file half written.
                _link(source / entry.name, target / entry.name)


def _link_all(source: Path, target: Path, leave: tuple[str, ...] = ()) -> None:
    for name in os.listdir(source):
        if name not in leave and not os.path.lexists(target / name):
            _link(source / name, target / name)


def _link(source: Path, target: Path) -> None:
    try:
        state = source.lstat()
    except FileNotFoundError:
        return
    target.symlink_to(source)
    # Snakemake compares times, of a link the link's own, too.
    os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns), follow_symlinks=False)


def _levels(config: Any) -> int:
    if isinstance(config, dict):
        return max(map(_levels, config.values()), default=0)
    if isinstance(config, list | tuple):
        return max(map(_levels, config), default=0)
    return len(_UPWARDS.findall(config)) if isinstance(config, str) else 0
