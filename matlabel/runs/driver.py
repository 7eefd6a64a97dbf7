"""The driver, the process that runs the workflow: it registers what it makes, so that no other makes the same."""

import atexit
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.lock import exclusive
from matlabel.runs.driver_file import FOLDER, SLURM, Driver, others, read, write
from matlabel.runs.local_jobs import start_as_children, wait_for_jobs_of
from matlabel.runs.orphaned_jobs import Planned, settle
from matlabel.runs.snakemake_internals import FOLDER as SNAKEMAKE
from matlabel.runs.snakemake_internals import locked, remove_lock

_mine: tuple[Path, Driver] | None = None


def writable(results: Path) -> bool:
    """Whether a results folder can be written to or created. A finished one may be read-only."""
    return os.access(next(folder for folder in (results, *results.resolve().parents) if folder.exists()), os.W_OK)


def enter(directory: Path, looking: bool = False, unlocking: bool = False) -> list[str]:
    """Register this process as a driver of a working directory, and remove Snakemake's lock where surely nothing runs.

    Args:
        directory: that Snakemake runs in.
        looking: this is a dry run or the like, which changes nothing.
        unlocking: a person has looked and says that nothing runs.

    Returns:
        what a person should know.

    Raises:
        UserError: Snakemake cannot run here.
    """
    global _mine
    results, snakemake = directory / "results", directory / SNAKEMAKE
    here = results.resolve()
    if not (looking or writable(snakemake)):
        raise UserError(
            f"{snakemake.resolve()}: cannot be written to; look at it with -n, or run in a folder of your own"
        )
    if not writable(results):
        return [f"{here}: read-only; it can be looked at (-n), but nothing can run"]
    folder = results / FOLDER
    with nullcontext() if looking else exclusive(folder / ".lock"):
        if unlocking:
            for path in folder.glob("*.json"):
                _unlock(path)
            return []
        if not looking:
            mine = Driver.this_process()
            _mine = mine.file(folder), mine
            write(*_mine)
            atexit.register(_leave_unbegun)
        notes = _look_at_lock(directory, [other for _, other in _others(folder)], looking)
    return notes


def begin(
    results: Path, executor: str, local: bool, planned: Planned, reads: Collection[str], every: float = 5.0
) -> bool:
    """Register the jobs of this driver and the files that they make, once it is known that jobs will run.

    What a killed driver left at work ends first.

    Args:
        results: the results folder.
        executor: what runs them, as Snakemake calls it.
        local: whether they are children of this process: they then end when it does.
        planned: what they are, with the files that they make.
        reads: files that they read, relative to the working directory.
        every: seconds between two looks at a scheduler's queue.

    Returns:
        whether they may begin: not after waiting for jobs on SLURM, for then the plan has to be made again.

    Raises:
        UserError: jobs of another driver, which may be at work, make or read the same, or SLURM does not answer.
    """
    global _mine
    if local:
        start_as_children()
    folder, makes = results / FOLDER, planned.files
    # Before any job is taken for one that a killed driver has left.
    _refuse_clash(folder, makes, reads)
    if settle(planned, on_cluster=not local or _left_on_slurm(folder), every=every):
        return False
    if _mine is None:
        return True
    for _, other in _others(folder):
        if other.local and other.executor and other.alive() is False:
            wait_for_jobs_of(other.owner)
    with exclusive(folder / ".lock"):
        _refuse_clash(folder, makes, reads)
        for path, other in _others(folder):
            if other.obstacle() is None and other.alive() is False:
                path.unlink(missing_ok=True)
        path, mine = _mine
        _mine = path, replace(mine, executor=executor, local=local, makes=sorted(makes), reads=sorted(reads))
        write(*_mine)
    return True


def end(unfinished: Collection[str] = ()) -> None:
    """Unregister this driver's jobs, after all of them have ended.

    Args:
        unfinished: files whose jobs had begun and were not seen to end. Not every scheduler is told to cancel them
            when Snakemake is stopped: what they make stays taken.
    """
    if _mine is None:
        return
    path, mine = _mine
    left = sorted(set(mine.makes) & set(unfinished))
    if left and not mine.local and mine.executor != SLURM:
        write(path, replace(mine, makes=left))
    else:
        path.unlink(missing_ok=True)


def again() -> NoReturn:
    """Restart this driver in the same process, as its plan is out of date."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _look_at_lock(directory: Path, others: list[Driver], looking: bool) -> list[str]:
    """A note on why Snakemake's lock stays, or that it is removed; empty where there is none."""
    if not locked(directory):
        return []
    results = (directory / "results").resolve()
    if obstacles := [why for other in others if (why := other.obstacle())]:
        return [f"{results}: {why}" for why in obstacles]
    alive = [other.alive() for other in others]
    if True in alive:
        return [f"{results}: locked by another run that is starting"]
    if False in alive:
        dead = others[alive.index(False)]
        if not looking:
            remove_lock(directory)
        then = "the next one removes its lock" if looking else "its lock is removed"
        return [f"the last run in {results} ({dead.owner}, since {dead.since}) was killed; {then}"]
    return [f"{results}: locked by another run that left no word; when none is at work: snakemake --unlock"]


def _refuse_clash(folder: Path, makes: Collection[str], reads: Collection[str]) -> None:
    for _, other in _others(folder):
        if other.executor and (file := other.clash(makes, reads)) and (why := other.obstacle()):
            raise UserError(f"{file}: {why}")


def _left_on_slurm(folder: Path) -> bool:
    """Whether a killed driver may have left jobs on SLURM, so that its queue must be read."""
    return any(other.executor == SLURM and other.alive() is False for _, other in _others(folder))


def _leave_unbegun() -> None:
    """At exit, delete the file of a driver that has begun no jobs; one that has leaves it to the next driver."""
    if _mine and not _mine[1].executor:
        _mine[0].unlink(missing_ok=True)


def _unlock(path: Path) -> None:
    """Delete a driver's file on the user's word that nothing runs; refused where it is seen to be alive."""
    try:
        driver = read(path)
    except UserError:
        driver = None
    if not (driver and driver.alive()):
        path.unlink(missing_ok=True)


def _others(folder: Path) -> Iterator[tuple[Path, Driver]]:
    return others(folder, but=_mine[0] if _mine else None)
