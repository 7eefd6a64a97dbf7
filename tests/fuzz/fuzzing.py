"""Damaged inputs for a reader: whatever the bytes, it works or refuses with a message, in little time and memory.

Under `make test` a target sees the same few hundred inputs each time. MATLABEL_FUZZ_SECONDS=600 runs each target for
so long, from a random start that is printed, and prints how many inputs that were.
"""

import contextlib
import os
import random as random_module
import resource
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NoReturn

from matlabel.artifacts.errors import UserError

_HANG = 10.0  # seconds for one input
_MEMORY = 2 << 30  # bytes of address space beyond what the process has before an input
_DISTINCT = 10  # findings after which a run stops
_LARGEST = 1 << 20  # bytes of an input
_NUMBERS = (0, 1, 2, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)
_TEXTS = (b"nan", b"-inf", b"1e400", b"-1", b"9" * 30, b"null", b"{}", b"[[", b'"', b"\n", b"\t", b"\0", b",", b"../")
_ENCODED = ("é", "ä\u0308", "\u2028", "\U0001f98a", "\ufeff")


class Hang(BaseException):
    """An input took longer than it may; no Exception, so that no reader takes it for one of its own."""


def mutated(seed_bytes: list[bytes], random: Random) -> bytes:
    """One of the seeds, damaged at one to eight places; rarely a seed as it is, or nothing but noise.

    Args:
        seed_bytes: valid inputs, at least one; two of them may be spliced.
        random: decides all.

    Returns:
        at most 1 MiB.
    """
    kind = random.random()
    if kind < 0.02:
        return random.randbytes(random.choice((0, 1, 16, 300)))
    data = random.choice(seed_bytes)
    if kind < 0.04:
        return data
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        data = random.choice(_DAMAGES)(data, seed_bytes, random)
    return data[:_LARGEST]


def fuzz(
    target: Callable[[bytes], None],
    seeds: list[bytes],
    seconds: float | None = None,
    examples: int = 200,
    allowed: tuple[type[BaseException], ...] = (UserError,),
    make: Callable[[list[bytes], Random], bytes] = mutated,
) -> int:
    """Hand damaged inputs to a reader, one after the other.

    Args:
        target: reads one input; must return, or raise one of `allowed`.
        seeds: valid inputs, which come first, as they are.
        seconds: run for so long; None: as MATLABEL_FUZZ_SECONDS says, without it for `examples` inputs.
        examples: how many inputs where no time is given.
        allowed: exceptions that are an answer.
        make: seeds, random -> the next input.

    Returns:
        the number of inputs.

    Raises:
        AssertionError: an input ended in another exception, took longer than 10 s or wanted over 2 GB of memory; it
            names the file that holds that input. One line for each place in the code, however many inputs led there.
    """
    told = os.environ.get("MATLABEL_FUZZ_SECONDS")
    seconds = float(told) if seconds is None and told else seconds
    start = random_module.SystemRandom().getrandbits(32) if seconds else 0
    random, begin, count = Random(start), time.monotonic(), 0
    findings: dict[str, str] = {}
    folder = Path(tempfile.mkdtemp(prefix="matlabel-fuzz-"))
    while len(findings) < _DISTINCT and (time.monotonic() - begin < seconds if seconds else count < examples):
        data = seeds[count] if count < len(seeds) else make(seeds, random)
        count += 1
        # Written before it is read: where a reader takes the whole process down, the file is what is left to see.
        current = folder / f"input-{count}"
        current.write_bytes(data)
        place, message = _finding(target, data, allowed)
        if place in ("", *findings):
            current.unlink()
        else:
            findings[place] = f"{current} ({len(data)} bytes): {message}"
    if seconds:
        print(f"{target.__qualname__}: {count} inputs in {time.monotonic() - begin:.0f} s, start {start}")
    assert not findings, "\n".join([f"{count} inputs, start {start}:", *findings.values()])
    folder.rmdir()
    return count


def _finding(target: Callable[[bytes], None], data: bytes, allowed: tuple[type[BaseException], ...]) -> tuple[str, str]:
    """Where an input went wrong, and how; ("", "") where it did not."""
    try:
        with _guarded():
            target(data)
    except allowed:
        pass
    except (Exception, Hang) as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = "".join(traceback.format_exception(error))
        return f"{type(error).__name__} {frame.filename}:{frame.lineno}", text[-3000:]
    return "", ""


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    def stop(number: int, frame: object) -> NoReturn:
        raise Hang(f"longer than {_HANG:.0f} s")

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = used + _MEMORY if hard == resource.RLIM_INFINITY else min(used + _MEMORY, hard)
    before = signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    signal.setitimer(signal.ITIMER_REAL, _HANG)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, before)


def _span(data: bytes, random: Random) -> slice:
    """A stretch of the input, mostly a short one."""
    begin = random.randrange(len(data) + 1)
    most = random.choice((1, 4, 16, 64, len(data) + 1))
    return slice(begin, begin + random.randrange(most + 1))


def _flip(data: bytes, seeds: list[bytes], random: Random) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 4, 32))):
        changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut(data: bytes, seeds: list[bytes], random: Random) -> bytes:
    span = _span(data, random)
    return data[: span.start] + data[span.stop :]


def _truncate(data: bytes, seeds: list[bytes], random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _duplicate(data: bytes, seeds: list[bytes], random: Random) -> bytes:
    span = _span(data, random)
    return data[: span.start] + data[span] * random.choice((2, 3, 50)) + data[span.stop :]


def _move(data: bytes, seeds: list[bytes], random: Random) -> bytes:
    span = _span(data, random)
    piece = data[span]
    rest = data[: span.start] + data[span.stop :]
    place = random.randrange(len(rest) + 1)
    return rest[:place] + piece + rest[place:]


def _splice(data: bytes, seeds: list[bytes], random: Random) -> bytes:
    other = random.choice(seeds)
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _noise(data: bytes, seeds: list[bytes], random: Random) -> bytes:
    span = _span(data, random)
    return data[: span.start] + random.randbytes(len(data[span])) + data[span.stop :]


def _number(data: bytes, seeds: list[bytes], random: Random) -> bytes:
    """A binary number over what stands there, where formats keep lengths and counts; or one in digits put in."""
    place, number = random.randrange(len(data) + 1), random.choice(_NUMBERS)
    if random.random() < 0.3:
        return data[:place] + str(number).encode() + data[place:]
    size = random.choice((1, 2, 4, 8))
    packed = (number & ((1 << 8 * size) - 1)).to_bytes(size, random.choice(("little", "big")))
    return data[:place] + packed + data[place + size :]


def _text(data: bytes, seeds: list[bytes], random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice((*_TEXTS, *(text.encode() for text in _ENCODED))) + data[place:]


_DAMAGES = (_flip, _flip, _cut, _truncate, _duplicate, _move, _splice, _noise, _number, _number, _text)
