"""How a command ends: its exit code and last words, and what the driver takes from them."""

import errno
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matlabel.artifacts.errors import LackOfMemory, UserError, storage_problem

# A mistake of the user's, which no second attempt mends; and what may succeed with more memory.
MISTAKE, MEMORY = 2, os.EX_TEMPFAIL
_NAME, _AGAIN = "matlabel: ", "out of memory: "
# Bytes at the end of a log that may hold the last words; a training's processes all say them.
_TAIL = 1 << 16


def explained(error: Exception) -> tuple[str, int] | None:
    """Last words and exit code for an error that needs no traceback; None for one that does."""
    # Torch has no exception of its own for the machine's memory, and the system says so when a process is to start.
    if (
        isinstance(error, LackOfMemory | MemoryError)
        or "DefaultCPUAllocator: can't allocate memory" in str(error)
        or getattr(error, "errno", None) == errno.ENOMEM
    ):
        return f"{_NAME}{_AGAIN}{next(iter(str(error).splitlines()), 'there is no more')}", MEMORY
    problem = storage_problem(error) if isinstance(error, OSError) else error
    return (f"{_NAME}{problem}", MISTAKE) if isinstance(problem, UserError) else None


def refusal(log: Path) -> str | None:
    """The message by which a command ended for a mistake of the user's, from its log; None where it ended otherwise."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return None
    said = [line.removeprefix(_NAME) for line in lines if line.startswith(_NAME)]
    return said[-1] if said and not said[-1].startswith(_AGAIN) else None


class NoRetries(logging.Filter):
    """Keeps Snakemake from trying a job again that a mistake of the user's has ended.

    Snakemake has a number of retries for each rule and asks nobody; but it says that a job failed just before it looks
    how many of them are left. On the logger, this hears it.

    Args:
        dag: Snakemake's graph of jobs.
        jobs: those that may run.
    """

    def __init__(self, dag: Any, jobs: Iterable[Any]):
        super().__init__()
        self._dag = dag
        # What an earlier run left in a log says nothing of a job that ends before it writes there.
        self._before = {str(log): _written(Path(log)) for job in jobs for log in job.log}

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if getattr(getattr(record, "event", None), "name", "") == "JOB_ERROR":
            for job in self._dag.jobs:
                if self._dag.jobid(job) == getattr(record, "jobid", None):
                    self._failed(job)
        return True

    def _failed(self, job: Any) -> None:
        logs = [Path(log) for log in job.log if _written(Path(log)) != self._before.get(str(log))]
        if any(map(refusal, logs)) and job.restart_times >= job.attempt:
            # As if all had been used up.
            job.attempt = job.restart_times + 1


def _written(log: Path) -> int | None:
    try:
        return log.stat().st_mtime_ns
    except OSError:
        return None
