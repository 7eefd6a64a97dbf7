"""Which process something belongs to, and whether it still lives, as far as that can be known from here."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Owner:
    """A process, so that it is not mistaken for a later one of the same number or for one of another machine.

    Attributes:
        pid: its number.
        started: when it started, in the system's own count; "" where the system does not say.
        host: the machine's name, for people.
        machine: equal only where a number means the same process: one boot of one machine, one space of numbers.
    """

    pid: int
    started: str
    host: str
    machine: str

    @classmethod
    def this_process(cls) -> "Owner":
        """The process that asks."""
        pid = os.getpid()
        return cls(pid, _started(pid) or "", socket.gethostname(), _machine())

    def alive(self) -> bool | None:
        """Whether it runs; None where that cannot be seen from here: on another machine, or before a reboot."""
        if self.machine != _machine():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        # Of a process that its parent has not looked after yet the number is still there, and of one long gone again.
        return _started(self.pid) == self.started

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def _started(pid: int) -> str | None:
    """When a process started, "" where the system does not say; None of one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None if Path("/proc/self/stat").exists() else ""
    return None if fields[0] in "ZX" else fields[19]


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()
