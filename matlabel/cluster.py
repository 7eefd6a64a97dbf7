"""Jobs of a scheduler that outlived the driver which submitted them."""

import os
import subprocess
import sys
import time
from pathlib import Path


def settle(folder: Path, every: float = 5.0) -> None:
    """Wait for what a killed driver left running on SLURM, and cancel what it left waiting.

    Such a job goes on, finishes its artifact and takes Snakemake's mark of it away. Who started it a second time would
    have two of them write the same file, and throw away what the first has done.

    Args:
        folder: the working directory, in which no other driver may be at work.
        every: seconds between two looks at the queue.
    """
    said = False
    while states := _queue(folder.resolve()):
        if waiting := [number for number, state in states.items() if state == "PENDING"]:
            subprocess.run(["scancel", *waiting], check=False)
        running = states.keys() - set(waiting)
        if running and not said:
            names = ", ".join(sorted(running))
            print(f"matlabel: the last run was killed, its jobs {names} go on; waiting for them", file=sys.stderr)
            said = True
        time.sleep(every)


def _queue(folder: Path) -> dict[str, str]:
    """Number -> state of this user's jobs of a workflow in a folder; {} without a SLURM to ask.

    By folder and by the comment that the executor gives its jobs: Snakemake's own marks lose the numbers, as every job
    writes them again without.
    """
    command = ["squeue", "--noheader", f"--user={os.getuid()}", "--format=%i|%T|%k|%Z"]
    try:
        lines = subprocess.run(command, check=False, capture_output=True, text=True).stdout.splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        number, state, rest = line.split("|", 2)
        comment, _, place = rest.rpartition("|")
        if comment.startswith(("rule_", "group_")) and Path(place).resolve() == folder:
            found[number] = state
    return found
