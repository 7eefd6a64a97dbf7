"""Exit codes and final messages of commands, and reading them back from a log."""

import errno
import os
from pathlib import Path

from matlabel.artifacts.errors import LackOfMemory, UserError, storage_problem

# A mistake of the user's, which no second attempt mends; and what may succeed with more memory.
MISTAKE, MEMORY = 2, os.EX_TEMPFAIL
_NAME, _AGAIN = "matlabel: ", "out of memory: "
# Bytes at the end of a log that may hold the last words; a training's processes all say them.
_TAIL = 1 << 16


def explained(error: Exception) -> tuple[str, int] | None:
    """Final message and exit code for an error that needs no traceback; None for one that does."""
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
