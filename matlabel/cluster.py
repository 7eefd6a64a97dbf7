"""Jobs of a scheduler that outlived the driver which submitted them."""

import os
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

from matlabel.artifacts.errors import UserError

# States that end only when somebody does something.
_WAITING = ("PENDING", "REQUEUE_HOLD", "SPECIAL_EXIT", "STOPPED")


def settle(folder: Path, planned: Collection[str], on_cluster: bool, every: float = 5.0) -> bool:
    """Wait for the jobs on SLURM that do what this run is about to do, and cancel those that only wait for it.

    A killed driver leaves such jobs: they go on and finish their artifacts. Who started them a second time would have
    two of them write the same file, and throw away what the first has done. While Snakemake's lock is held, no living
    driver can have submitted them.

    Args:
        folder: the working directory.
        planned: what this run will do, as the executor names jobs: `rule_<rule>_wildcards_<values>`.
        on_cluster: a scheduler is to run the jobs, so that one that does not answer is an error.
        every: seconds between two looks at the queue.

    Returns:
        whether there was something to wait for, so that the plan has to be made again.

    Raises:
        UserError: the scheduler does not answer for a minute.
    """
    left = _queue(folder, planned, on_cluster, every)
    numbers, said = set(left), ""
    while left:
        if waiting := [number for number, state in left.items() if state in _WAITING]:
            subprocess.run(["scancel", *waiting], check=False)
        going = ", ".join(f"{number} ({state})" for number, state in left.items() if state not in _WAITING)
        if going not in ("", said):
            print(f"matlabel: the last run was killed, its jobs go on; waiting for {going}", file=sys.stderr)
            said = going
        time.sleep(every)
        left = {n: s for n, s in _queue(folder, planned, True, every).items() if n in numbers}
    return bool(numbers)


def _queue(folder: Path, planned: Collection[str], insist: bool, every: float) -> dict[str, str]:
    """Number -> state of this user's unfinished jobs in a folder, by their comment: {} without a SLURM to ask."""
    command = ["squeue", "--noheader", f"--user={os.getuid()}", "--format=%i|%T|%k|%Z"]
    for _ in range(12):
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True)
        except FileNotFoundError:
            return {}
        if done.returncode == 0:
            break
        if not insist:
            return {}
        time.sleep(every)
    else:
        raise UserError(f"squeue does not answer: {done.stderr.strip()}; try again when SLURM does")
    found = {}
    for line in done.stdout.splitlines():
        number, state, rest = line.split("|", 2)
        comment, _, place = rest.rpartition("|")
        if comment in planned and Path(place).resolve() == folder.resolve():
            found[number] = state
    return found
