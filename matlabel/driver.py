"""The process that runs the workflow. Whether it lives decides which locks are stale, and whether its jobs go on."""

import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import IO, NoReturn

_VARIABLE = "MATLABEL_DRIVER"
_held: list[IO] = []


def writable(results: Path) -> bool:
    """Whether a run can leave anything in a results folder, or make it. A finished one may be read-only."""
    return os.access(next(folder for folder in (results, *results.resolve().parents) if folder.exists()), os.W_OK)


def enter(results: Path, locks: Path) -> list[str]:
    """Be one of the drivers of a results folder until this process ends, however it ends.

    A driver that is killed cannot take Snakemake's lock along. As soon as none lives, that lock is removed.

    Args:
        results: the results folder.
        locks: where Snakemake keeps its locks, `.snakemake/locks`.

    Returns:
        what a person should know.
    """
    if not writable(results):
        return [f"{results.resolve()}: read-only; it can be looked at (-n), but nothing can run"]
    results.mkdir(parents=True, exist_ok=True)
    file = (results / ".driver").open("a+")
    waiting = locks.is_dir() and any(locks.iterdir())
    notes = []
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                notes.append(f"another run is at work in {results.resolve()}{_named(file)}; wait for it, or stop it")
        else:
            if waiting:
                shutil.rmtree(locks)
                locks.mkdir()
                notes.append(f"the last run in {results.resolve()}{_named(file)} was killed; its lock is removed")
        # Shared: runs that make different artifacts may work side by side, Snakemake's own lock sees to that.
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError:
        # A file system without such locks: Snakemake's stay, and a person has to say --unlock.
        file.close()
        return []
    _held.append(file)
    return notes


def begin(local: bool) -> None:
    """Say who runs jobs here, once it is known that jobs will run.

    Args:
        local: whether they are children of this process: they then end when it does (see `end_with_driver`).
    """
    for file in _held:
        file.seek(0)
        file.truncate()
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%F %T")}))
        file.flush()
    if local:
        os.environ[_VARIABLE] = f"{os.getpid()}@{socket.gethostname()}"


def again() -> NoReturn:
    """Start this driver once more, in the same process: what it has planned is no longer so."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def end_with_driver(every: float = 1.0) -> None:
    """In a job: end, as if told to by SIGTERM, when the driver that started it is gone.

    A job that outlives its driver would hold a GPU, and write what the next run writes as well. Jobs on another host
    than their driver, as a cluster runs them, are the cluster's.
    """
    pid, _, host = os.environ.get(_VARIABLE, "").partition("@")
    if host == socket.gethostname() and pid.isdigit():
        threading.Thread(target=_watch, args=(int(pid), every), daemon=True).start()


def unwind_when_terminated() -> None:
    """Let SIGTERM end this process as an exception does, so that what is half-written is cleared away."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _watch(pid: int, every: float) -> None:
    while _alive(pid):
        time.sleep(every)
    os.kill(os.getpid(), signal.SIGTERM)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # A killed process that its parent has not looked after yet is still there to be signalled.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return True


def _named(file: IO) -> str:
    file.seek(0)
    try:
        who = json.load(file)
        return f" (process {who['pid']} on {who['host']}, since {who['since']})"
    except (ValueError, KeyError, TypeError):
        return ""
