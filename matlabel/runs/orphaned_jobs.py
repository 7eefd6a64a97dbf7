"""Orphaned jobs: scheduler jobs that outlived the driver which submitted them."""

import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from matlabel.artifacts.errors import UserError

# States that end only when somebody does something.
_WAITING = ("PENDING", "REQUEUE_HOLD", "SPECIAL_EXIT", "STOPPED")
# Seconds until SLURM counts as not answering.
_PATIENCE = 60.0


@dataclass(frozen=True)
class Planned:
    """The jobs that a run is about to start, to be compared with those on SLURM.

    Attributes:
        folder: the working directory.
        comments: the jobs as the executor names them: `rule_<rule>_wildcards_<values>`.
        files: what they make, relative to the folder.
        submitted: number of a job -> files that it makes, as Snakemake has noted them (`snakemake_internals`).
    """

    folder: Path
    comments: Collection[str]
    files: Collection[str] = ()
    submitted: Mapping[str, Collection[str]] = field(default_factory=dict)

    def has(self, number: str, comment: str, place: str) -> bool:
        """Whether a SLURM job makes the same as one planned here.

        The tasks of an array, `<number>_<task>`, share the comment of the first. What each makes is noted once all of
        them are submitted; a driver killed just before that leaves tasks that are known by their rule alone.
        """
        if Path(place).resolve() != self.folder.resolve():
            return False
        if "_" not in number:
            return comment in self.comments
        if number in self.submitted:
            return not set(self.files).isdisjoint(self.submitted[number])
        return _rule(comment) in map(_rule, self.comments)


def settle(planned: Planned, on_cluster: bool, every: float = 5.0, patience: float = _PATIENCE) -> bool:
    """Wait for running SLURM jobs that make the same as this run, and cancel pending ones.

    A killed driver leaves such jobs: they go on and finish their artifacts. Who started them a second time would have
    two of them write the same file, and throw away what the first has done. The caller has made sure that no living
    driver makes the same files: Snakemake's lock, which any run in the folder takes away when it ends, is no proof.

    Args:
        planned: what this run is about to do.
        on_cluster: jobs may be on a scheduler, so that one that does not answer is an error.
        every: seconds between two looks at the queue.
        patience: seconds without an answer.

    Returns:
        whether there was something to wait for, so that the plan has to be made again.

    Raises:
        UserError: the scheduler does not answer.
    """
    left = _queue(planned, on_cluster, every, patience)
    numbers, said = set(left), ""
    while left:
        if waiting := [number for number, state in left.items() if state in _WAITING]:
            # One that does not come back is asked again.
            with suppress(subprocess.TimeoutExpired):
                subprocess.run(["scancel", *waiting], check=False, timeout=patience)
        going = ", ".join(f"{number} ({state})" for number, state in left.items() if state not in _WAITING)
        if going not in ("", said):
            print(f"matlabel: the last run was killed, its jobs go on; waiting for {going}", file=sys.stderr)
            said = going
        time.sleep(every)
        left = {n: s for n, s in _queue(planned, True, every, patience).items() if n in numbers}
    return bool(numbers)


def ended(job: str, restarts: str = "", patience: float = _PATIENCE) -> bool:
    """Whether a SLURM job of this user has certainly ended: SLURM answers and no longer lists it.

    Args:
        job: its number.
        restarts: how often it had been put in the queue again before, as SLURM tells it; "" for never.
        patience: seconds without an answer.
    """
    if job == os.environ.get("SLURM_JOB_ID"):
        # This process is in it: in the same start of it, maybe on another node, or in a later one.
        return restarts != os.environ.get("SLURM_RESTART_COUNT", "")
    try:
        done = _squeue(patience, "--format=%A")
    except FileNotFoundError:
        return False
    return done.returncode == 0 and job not in done.stdout.split()


def _squeue(patience: float, *options: str) -> "subprocess.CompletedProcess[str]":
    """SLURM's list of this user's jobs; an error where it does not answer in time.

    Raises:
        FileNotFoundError: there is no SLURM to ask.
    """
    command = ["squeue", "--noheader", f"--user={os.getuid()}", *options]
    try:
        # A folder may have any name.
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="surrogateescape", timeout=patience
        )
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(command, 1, "", f"no word in {late.timeout:.0f} s")


def _rule(comment: str) -> str:
    return comment.partition("_wildcards_")[0]


def _queue(planned: Planned, insist: bool, every: float, patience: float) -> dict[str, str]:
    """Number -> state of this user's unfinished SLURM jobs that make the same as this run; {} without SLURM."""
    began = time.monotonic()
    while True:
        try:
            done = _squeue(patience, "--array", "--format=%i|%T|%k|%Z")
        except FileNotFoundError:
            return {}
        if done.returncode == 0:
            break
        if not insist:
            return {}
        if time.monotonic() - began >= patience:
            said = done.stderr.strip().encode(errors="replace").decode()
            raise UserError(f"squeue does not answer: {said}; try again when SLURM does")
        time.sleep(every)
    found = {}
    for line in done.stdout.splitlines():
        number, _, rest = line.partition("|")
        state, _, rest = rest.partition("|")
        comment, bar, place = rest.rpartition("|")
        # A line without its three bars is a warning, or a part of a comment of somebody's own.
        if bar and planned.has(number, comment, place):
            found[number] = state
    return found
