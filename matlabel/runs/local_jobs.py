"""Local jobs, the driver's children: they end when it does, also when it is killed."""

import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

from matlabel.artifacts.owner import Owner

_VARIABLE = "MATLABEL_DRIVER"


def start_as_children() -> None:
    """In the driver: make the jobs that it starts from now on end with it."""
    os.environ[_VARIABLE] = _text(Owner.this_process())


def end_with_driver(every: float = 1.0) -> None:
    """In a job: end, as if told to by SIGTERM, when the driver that started it is gone.

    A job that outlives its driver would hold a GPU, and write what the next run writes as well. Jobs on another host
    than their driver, as a cluster runs them, are the cluster's.
    """
    try:
        driver = Owner.parse(json.loads(os.environ.get(_VARIABLE, "")))
    except ValueError:
        return
    if driver.alive() is not None:
        threading.Thread(target=_watch, args=(driver, every), daemon=True).start()


def unwind_when_terminated() -> None:
    """Turn SIGTERM into an exception, so that half-written files are removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def wait_for_jobs_of(driver: Owner, every: float = 0.2) -> None:
    """Wait until the children of a dead driver have ended, too: a training first writes a checkpoint.

    Where the system does not tell what belongs to whom (no /proc), nothing is waited for.
    """
    said = False
    while left := _children(driver):
        if not said:
            numbers = ", ".join(map(str, left))
            print(f"matlabel: the last run was killed, its jobs are ending; waiting for {numbers}", file=sys.stderr)
            said = True
        time.sleep(every)


def _watch(driver: Owner, every: float) -> None:
    while driver.alive() is not False:
        time.sleep(every)
    os.kill(os.getpid(), signal.SIGTERM)


def _children(driver: Owner) -> list[int]:
    """Processes of this user whose environment names the driver."""
    mark, found = f"{_VARIABLE}={_text(driver)}".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            # Of a process that has ended and is not looked after yet, the environment is empty.
            if mark in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return sorted(set(found) - {os.getpid()})


def _text(driver: Owner) -> str:
    return json.dumps(asdict(driver))
