"""A parallel map over processes: results in order, a bounded number of items in flight."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from itertools import islice
from typing import TypeVar

from threadpoolctl import threadpool_limits

from matlabel.artifacts.errors import LackOfMemory

# Items to a message: sending each alone costs a twentieth of matting it.
_CHUNK = 4

Item = TypeVar("Item")
Result = TypeVar("Result")


def over_processes(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, memory: str
) -> Iterator[Result]:
    """`map(function, items)` on `workers` processes, each with one BLAS thread.

    Items are drawn as they are needed, a few ahead of the results, so that a shard never lies in memory as a whole.

    Args:
        function: picklable, as are the items and results; an exception that it raises comes out here.
        items: drawn in this process.
        workers: with 1 everything happens in this process.
        memory: the settings to lower when a worker is killed, for the message.

    Raises:
        LackOfMemory: a worker died, as the system's memory killer makes it.
    """
    if workers <= 1:
        with threadpool_limits(1):
            yield from map(function, items)
        return
    # Not fork: the libraries loaded here may have threads, whose locks a forked child would inherit locked.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([function_module(function)])
    with ProcessPoolExecutor(workers, context) as pool:
        try:
            for results in ordered(pool, partial(_each, function), _chunks(items), ahead=3 * workers):
                yield from results
        except BrokenProcessPool as error:
            raise LackOfMemory(f"a worker process died, most likely for lack of memory; lower {memory}") from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def ordered(pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int) -> Iterator[Result]:
    """Results in the order of the items, with at most `ahead` items handed to the pool before their turn."""
    waiting: deque = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@cache
def _limit_threads() -> None:
    threadpool_limits(1)


def _each(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    # Here and not when the process starts: the libraries come with the function.
    _limit_threads()
    return [function(item) for item in items]


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    source = iter(items)
    while chunk := list(islice(source, _CHUNK)):
        yield chunk


def function_module(function: Callable) -> str:
    """The module that a function, perhaps wrapped by `functools.partial`, comes from."""
    return getattr(function, "func", function).__module__
