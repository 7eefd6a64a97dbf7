"""Finding artifacts below results/ that no given config leads to, and deleting each whole or not at all."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import SUFFIX, read_provenance
from matlabel.artifacts.reading import read_text
from matlabel.inspection.dry_run import jobs_to_run, planned
from matlabel.inspection.result_files import (
    REMOVED,
    content_digest,
    foreign_folders,
    is_checkpoint,
    is_code_file,
    is_run_link,
    is_temporary,
    key_folders,
    refuse_during_a_run,
    strangers,
)
from matlabel.inspection.workflow import Workflow
from matlabel.runs.sources import sources_digest
from matlabel.stages import FOLDERS

# A command run by hand holds no lock, but writes its temporary file meanwhile.
_ABANDONED = 3600


@dataclass(frozen=True)
class Leftover:
    """Files that no given config needs.

    Attributes:
        path: a folder of artifacts, a file, or a link.
        what: artifacts, temporary, checkpoint, driver or link; or kept, for a folder of artifacts that stays as long as
            something in it is not ours.
        size: bytes, of a folder with all that is in it.
        written: when the last of it was, in seconds since the epoch.
        strangers: what of a kept folder is not ours.
    """

    path: Path
    what: str
    size: int
    written: float
    strangers: tuple[str, ...] = ()


def leftovers(workflows: Sequence[Workflow]) -> list[Leftover]:
    """Everything that no run of these configs would read or make. Deletes nothing.

    Args:
        workflows: of one directory, each with a config of its own.

    Raises:
        UserError: a run is at work in the directory, or a config or the data is refused.
    """
    directory = workflows[0].directory
    refuse_during_a_run(directory)
    # What results/ may itself be a link to; below it links are left alone.
    results = (directory / "results").resolve()
    keys: set[str] = set()
    needed: set[str] = set()
    for workflow in workflows:
        with planned(workflow) as plan:
            keys |= {*plan.nodes, plan.ablation.key}
            # As if nothing were there: then Snakemake names every file that any job reads.
            needed |= {name for job in jobs_to_run(workflow, "--forceall") for name in [*job.inputs, *job.outputs]}
    # Each driver adds these when it starts, whether asked for or not.
    needed |= {f"results/.code/{stage}-{sources_digest(stage)}" for stage in FOLDERS}
    stale = list(_folders(results, keys))
    gone = {leftover.path for leftover in stale if leftover.what == "artifacts"}
    kept = [folder for folder in key_folders(results) if folder.name in keys]
    needed |= _named_by_provenances([*kept, *foreign_folders(results)])
    return [*stale, *_small(results, kept, needed), *_links(results, gone)]


def remove(leftover: Leftover, directory: Path) -> None:
    """Delete a leftover so that what an interruption leaves is never taken for complete.

    Args:
        leftover: what can go.
        directory: that Snakemake runs in.

    Raises:
        UserError: a run has begun meanwhile, the path leads out of results/, or something in the folder is not ours.
    """
    refuse_during_a_run(directory)
    path = leftover.path
    if not path.parent.resolve().is_relative_to((directory / "results").resolve()):
        raise UserError(f"{path}: is not below results/ any more; nothing was deleted there")
    with suppress(FileNotFoundError):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            if leftover.what == "link":
                _remove_empty(path.parent)
            return
        if leftover.what == "artifacts" and not REMOVED.fullmatch(path.name):
            if others := strangers(path):
                raise UserError(f"{others[0]}: is not matlabel's; move it elsewhere and clean again")
            # Killed half-way, nothing is left that looks like artifacts; the next clean takes up the rest.
            aside = path.with_name(f".{path.name}.{os.getpid()}.removed")
            path.rename(aside)
            path = aside
        shutil.rmtree(path)


def _folders(results: Path, keys: set[str]) -> Iterator[Leftover]:
    for path in key_folders(results):
        if path.name not in keys:
            found = _measured(path, "artifacts")
            others = tuple(other.name for other in strangers(path))
            yield replace(found, what="kept", strangers=others) if others else found
    for stage in FOLDERS:
        root = results / stage
        for path in sorted(root.iterdir()) if root.is_dir() and not root.is_symlink() else []:
            if REMOVED.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
                yield _measured(path, "artifacts")


def _small(results: Path, kept: list[Path], needed: set[str]) -> Iterator[Leftover]:
    for folder in kept:
        exports = folder / "png"
        exported = exports.iterdir() if exports.is_dir() and not exports.is_symlink() else []
        for path in sorted([*folder.iterdir(), *exported]):
            if path.is_symlink() or f"results/{folder.parent.name}/{folder.name}/{path.name}" in needed:
                continue
            if is_temporary(path):
                yield from _abandoned(path)
            elif is_checkpoint(path) and _finished(path):
                yield _measured(path, "checkpoint")
            elif content_digest(path):
                yield _measured(path, "driver")
    code = results / ".code"
    for path in sorted(code.iterdir()) if code.is_dir() and not code.is_symlink() else []:
        if path.is_symlink():
            continue
        if is_code_file(path) and f"results/.code/{path.name}" not in needed:
            yield _measured(path, "driver")
        elif is_temporary(path):
            yield from _abandoned(path)


def _abandoned(path: Path) -> Iterator[Leftover]:
    found = _measured(path, "temporary")
    if time.time() - max(found.written, path.stat().st_mtime) > _ABANDONED:
        yield found


def _finished(checkpoint: Path) -> bool:
    """Whether the weights are newer than the checkpoint: else it belongs to a training that was killed."""
    weights = checkpoint.with_name(FOLDERS[checkpoint.parent.parent.name].main)
    return weights.is_file() and weights.stat().st_mtime >= checkpoint.stat().st_mtime


def _named_by_provenances(folders: list[Path]) -> set[str]:
    """Driver files that artifacts were made from: old ones among them tell later what has changed since."""
    found: set[str] = set()
    for folder in folders:
        for path in folder.glob(f"*{SUFFIX}"):
            try:
                written = read_provenance(path.with_name(path.name.removesuffix(SUFFIX))) or {}
            except UserError:
                continue
            found |= set(written.get("inputs", {}))
            found.add(f"results/.code/{folder.parent.name}-{written.get('code')}")
    for name in [name for name in found if name.endswith(".txt")]:
        for folder in folders:
            file = folder / Path(name).name
            if name.startswith(f"results/{folder.parent.name}/{folder.name}/") and file.is_file():
                with suppress(UserError):  # damaged: it is one of those that go
                    found |= {str(Path(name).with_name(line)) for line in read_text(file).split()}
    return found


def _links(results: Path, gone: set[Path]) -> Iterator[Leftover]:
    """Links that are broken, or will be after deletion, and those that a killed driver had not put into place."""
    runs = results / "runs"
    for path in sorted(runs.glob("*/seed-*/*")):
        if is_run_link(path, results) and (is_temporary(path) or not path.exists() or path.resolve() in gone):
            yield Leftover(path, "link", 0, path.lstat().st_mtime)


def _measured(path: Path, what: str) -> Leftover:
    size, written = 0, 0.0
    for file in _files(path):
        with suppress(FileNotFoundError):
            state = file.lstat()
            size, written = size + state.st_size, max(written, state.st_mtime)
    return Leftover(path, what, size, written or path.lstat().st_mtime)


def _files(path: Path) -> Iterator[Path]:
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for folder, _, names in os.walk(path):
        yield from (Path(folder, name) for name in names)


def _remove_empty(folder: Path) -> None:
    for path in (folder, folder.parent):
        try:
            path.rmdir()
        except OSError:
            return
