"""The process that something belongs to, and whether it is still running."""

import os
import socket
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Owner:
    """A process, identified beyond its number: a later process or another machine may have the same one.

    Attributes:
        pid: its number.
        started: when it started, in the system's own count; "" where the system does not say.
        host: the machine's name.
        machine: what the machine's installation is called; "" where it has no such name.
        space: one boot of one machine and one of its spaces of process numbers.
    """

    pid: int
    started: str
    host: str
    machine: str
    space: str

    @classmethod
    def this_process(cls) -> "Owner":
        """The current process."""
        pid = os.getpid()
        return cls(pid, _started(pid) or "", *_here())

    @classmethod
    def parse(cls, raw: Any) -> "Owner":
        """An owner from the dictionary of its attributes.

        Raises:
            ValueError: it is not one.
        """
        names = [field.name for field in fields(cls)]
        if not isinstance(raw, dict) or set(raw) != set(names):
            raise ValueError("no process")
        pid, *words = (raw[name] for name in names)
        if type(pid) is not int or not 0 < pid < 2**31 or not all(isinstance(word, str) for word in words):
            raise ValueError("no process")
        return cls(pid, *words)

    def alive(self) -> bool | None:
        """Whether it runs; None where that cannot be seen from here, as of a process on another machine."""
        host, machine, space = _here()
        if self.space != space:
            # Containers share a boot; machines that share an installation have names of their own.
            rebooted = self.space.split()[:1] != space.split()[:1]
            return False if rebooted and machine and (self.host, self.machine) == (host, machine) else None
        started = _started(self.pid)
        if started is None:
            return False
        # A later process may have got the number of one that is long gone.
        return started == self.started if started and self.started else _there(self.pid)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def _started(pid: int) -> str | None:
    """When a process started, "" where that cannot be seen; None of one that has ended and only waits for its parent.

    Not to be seen is no proof of an end: another user's processes may be hidden, this one may have no handle left.
    """
    try:
        # What a program is called may be cut within a character.
        words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return None if words[0] in (b"Z", b"X") else words[19].decode()


def _there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@cache
def _here() -> tuple[str, str, str]:
    """Name, installation and space of this process's machine."""
    host = socket.gethostname()
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        space = f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        space = host
    try:
        return host, Path("/etc/machine-id").read_text(encoding="utf-8").strip(), space
    except OSError:
        return host, "", space
