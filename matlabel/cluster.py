"""Jobs of a scheduler that outlived the driver which submitted them."""

import json
import subprocess
import sys
import time
from pathlib import Path


def settle(incomplete: Path, every: float = 5.0) -> None:
    """Wait for what a killed driver left running on SLURM, and cancel what it left waiting.

    Such a job goes on, finishes its artifact and takes Snakemake's mark of it away. Who started it a second time would
    have two of them write the same file, and throw away what the first has done.

    Args:
        incomplete: where Snakemake marks what is under way, `.snakemake/incomplete`, with the scheduler's job number.
        every: seconds between two looks at the queue.
    """
    numbers = _numbers(incomplete)
    said = False
    while states := _queue(numbers):
        if waiting := [number for number, state in states.items() if state == "PENDING"]:
            subprocess.run(["scancel", *waiting], check=False)
        running = states.keys() - set(waiting)
        if running and not said:
            names = ", ".join(sorted(running, key=int))
            print(f"matlabel: the last run was killed, its jobs {names} go on; waiting for them", file=sys.stderr)
            said = True
        time.sleep(every)


def _numbers(incomplete: Path) -> list[str]:
    found = set()
    for path in incomplete.rglob("*") if incomplete.is_dir() else ():
        try:
            number = json.loads(path.read_text())["external_jobid"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if str(number).isdigit():
            found.add(str(number))
    return sorted(found, key=int)


def _queue(numbers: list[str]) -> dict[str, str]:
    """Number -> state of the jobs that have not ended; {} without a SLURM to ask."""
    if not numbers:
        return {}
    command = ["squeue", "--noheader", "--format=%i %T", f"--jobs={','.join(numbers)}"]
    try:
        # An old number is an error when it is the only one.
        lines = subprocess.run(command, check=False, capture_output=True, text=True).stdout.splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split(maxsplit=1) for line in lines)
