"""A folder of links that looks like the working directory, so that what is asked there changes nothing here.

Even `snakemake -n` writes: a lock folder, a cache of file times, and of ours the driver's files.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matlabel.inspection.workflow import Workflow
from matlabel.runs import Plan

_UPWARDS = re.compile(r"(?:^|[/:])\.\.(?=/|$)")
# results/<stage>/<key>: folders down to here are made anew, so that new files can appear in them.
_DEPTH = 2
# Snakemake's records of finished and of running jobs. Only read: a dry run writes neither.
_RECORDS = ("metadata", "incomplete")


@contextlib.contextmanager
def mirrored(folder: Path, config: Any) -> Iterator[Path]:
    """Go into a mirror of a working directory for a while: every path relative to `folder` leads to the same file.

    Files that are written, replaced or deleted by name are so in the mirror alone. The process's current folder is
    changed, so not for two threads at once.

    Args:
        folder: to be mirrored, absolute.
        config: the merged config; where it names `../`, that many folders above are mirrored, too.

    Yields:
        the mirror's path. It is deleted in the end.
    """
    with tempfile.TemporaryDirectory(prefix="matlabel-") as temporary:
        mirror = Path(temporary, *folder.parts[1:])
        mirror.mkdir(parents=True, exist_ok=True)
        for above in [folder, *folder.parents][: _levels(config)]:
            _link_all(above.parent, Path(temporary, *above.parent.parts[1:]))
        (mirror / ".snakemake").mkdir()
        for name in _RECORDS:
            _link(folder / ".snakemake" / name, mirror / ".snakemake" / name)
        if (folder / "results").is_dir():
            _mirror(folder / "results", mirror / "results", _DEPTH)
        _link_all(folder, mirror, leave=("logs",))
        with contextlib.chdir(mirror):
            yield mirror


@contextlib.contextmanager
def planned(workflow: Workflow) -> Iterator[Plan]:
    """The plan of a run, made in a mirror of its folder and good for as long as one stays there.

    A plan that writes nothing still generates the demo's pictures, where they are not there yet.

    Raises:
        UserError: anything wrong in the config or the data.
    """
    config = workflow.config()
    with mirrored(workflow.directory, config):
        yield Plan(config)


def _mirror(source: Path, target: Path, depth: int) -> None:
    target.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError), os.scandir(source) as entries:
        for entry in entries:
            if depth and entry.is_dir() and entry.name != "runs":
                _mirror(source / entry.name, target / entry.name, depth - 1)
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
