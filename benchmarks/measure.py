"""What all benchmarks share: peers timed in turn in one run, medians, and a table."""

import contextlib
import io
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager


def interleaved(
    contenders: Mapping[str, Callable[[], object]], repeats: int = 5, warm: bool = True
) -> dict[str, float]:
    """Median seconds of each contender; see `turns`."""
    return {name: statistics.median(taken) for name, taken in turns(contenders, repeats, warm).items()}


def turns(
    contenders: Mapping[str, Callable[[], object]], repeats: int = 5, warm: bool = True
) -> dict[str, list[float]]:
    """Seconds of each contender in each turn. They alternate, so that what else the machine does meets all of them.

    Args:
        contenders: name -> what is timed.
        repeats: turns.
        warm: call each once before, untimed: compilers and caches.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values() if warm else ():
        call()
    for _ in range(repeats):
        for name, call in contenders.items():
            begin = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - begin)
    return seconds


def hushed() -> AbstractContextManager:
    """Without what a peer prints: pymatting tells of every failed preconditioner."""
    return contextlib.redirect_stdout(io.StringIO())


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers to four significant digits."""
    text = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(head), *text]) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([line(head), line(["-" * width for width in widths]), *map(line, text)])


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
