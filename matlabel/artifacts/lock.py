"""A lock that works on every file system: by exclusively created files, without `flock`.

A lock at `path` is a row of files `path.0`, `path.1`, ...; the last one counts. Who finds it released, or its owner
dead, makes the next one, which succeeds for one process alone. The last one is never deleted, only followed: a
waiter that acts on what it saw long ago makes a file that is not the last, sees so, and has taken nothing.
"""

import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.owner import Owner

# Seconds between two signs of life, between two looks of a waiter, and without a sign until an owner on another
# machine, where nobody can look for its process, is taken for dead.
_BEAT, _LOOK, _SILENT = 5.0, 0.2, 60.0
_HELD, _FREE = b"1", b"0"


@contextmanager
def exclusive(path: Path, beat: float = _BEAT, silent: float = _SILENT) -> Iterator[None]:
    """Hold the lock of a path against every process on every machine that sees the file; waits for it.

    An owner on this machine counts as dead when its process has ended, one on another machine when it has given no
    sign of life for a while, by this process's clock alone.

    Args:
        path: of the lock; its folder is made if missing.
        beat: seconds between two signs of life.
        silent: seconds without one.

    Raises:
        UserError: this process was suspended for so long that another took its place.
        OSError: the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number, handle = _take(path, silent)
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(handle, ended, beat), daemon=True)
    thread.start()
    try:
        yield
        if _last(path) != number:
            raise UserError(f"{path}: this process stood still for {silent:.0f} s and lost its lock; run again")
    finally:
        ended.set()
        thread.join()
        _release(handle)


def _take(path: Path, silent: float) -> tuple[int, int]:
    """The number and the open file of the lock, once it is this process's."""
    seen, quiet, before, said = (-1, b""), 0.0, time.monotonic(), False
    while True:
        number = _last(path)
        content = _content(path, number)
        now = time.monotonic()
        # What has passed between two looks counts only up to a second: this process may have slept, or the server.
        quiet = quiet + min(now - before, 1.0) if (number, content) == seen else 0.0
        seen, before = (number, content), now
        owner = _owner(content)
        free = number < 0 or content[:1] == _FREE or _gone(owner, quiet >= silent)
        if free and (handle := _make(path, number + 1)) is not None:
            return number + 1, handle
        if quiet > 2 and not said:
            print(f"matlabel: {path}: waiting for {owner or 'another process'}", file=sys.stderr)
            said = True
        time.sleep(_LOOK)


def _gone(owner: Owner | None, silent: bool) -> bool:
    alive = owner.alive() if owner else None
    return silent if alive is None else not alive


def _make(path: Path, number: int) -> int | None:
    """Create the file of a number and open it; None where another process was faster."""
    name = f"{path}.{number}"
    try:
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return None
    try:
        last = _last(path) == number
        if last:
            os.pwrite(handle, _HELD + b"%12d\n" % 0 + json.dumps(asdict(Owner.this_process())).encode(), 0)
            os.fsync(handle)
    except OSError:
        os.close(handle)
        Path(name).unlink(missing_ok=True)
        raise
    if not last:
        os.close(handle)
        # Whoever is in there may have taken it away as an older one.
        Path(name).unlink(missing_ok=True)
        return None
    for older in _numbers(path):
        if older < number:
            Path(f"{path}.{older}").unlink(missing_ok=True)
    return handle


def _release(handle: int) -> None:
    try:
        os.pwrite(handle, _FREE, 0)
    except OSError:
        # An empty file needs no room; it has no owner who is alive, and is taken over after a while.
        with suppress(OSError):
            os.ftruncate(handle, 0)
    finally:
        # Other machines see what is written when the file is closed.
        os.close(handle)


def _beat(handle: int, ended: threading.Event, beat: float) -> None:
    count = 0
    while not ended.wait(beat):
        count += 1
        # A full disk or a server that is away: the next sign may get through.
        with suppress(OSError):
            os.pwrite(handle, b"%12d" % count, 1)
            os.fsync(handle)


def _numbers(path: Path) -> list[int]:
    name = re.compile(re.escape(path.name) + r"\.(\d+)")
    return [int(found[1]) for entry in os.listdir(path.parent) if (found := name.fullmatch(entry))]


def _last(path: Path) -> int:
    """Number of the newest lock file; -1 where there is none."""
    return max(_numbers(path), default=-1)


def _content(path: Path, number: int) -> bytes:
    try:
        return Path(f"{path}.{number}").read_bytes()
    except FileNotFoundError:
        return b""


def _owner(content: bytes) -> Owner | None:
    """The process that holds it; None where it has not written its name yet, or was killed before it did."""
    try:
        return Owner.parse(json.loads(content.partition(b"\n")[2]))
    except ValueError:
        return None
