"""The file of a driver, results/.drivers/<host>-<process>-<start>.json: who runs here and what it makes.

Snakemake's lock is not enough: it says nothing of who holds it, outlives a driver that is killed, and is taken away
by any other run in the same folder that ends.
"""

import json
import os
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from matlabel.artifacts.atomic import write_text
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.owner import Owner
from matlabel.artifacts.reading import read_json
from matlabel.runs.orphaned_jobs import ended

# Below the results folder.
FOLDER = ".drivers"
# Executors whose jobs the next run can ask for (see `matlabel.runs.orphaned_jobs`).
SLURM = "slurm"


@dataclass(frozen=True)
class Driver:
    """A process that runs jobs of the workflow, or did.

    Attributes:
        owner: its process.
        since: when it started, for people.
        executor: what runs its jobs, as Snakemake calls it; "" while it runs none yet.
        local: its jobs are its children.
        makes: files, relative to the working directory.
        reads: likewise.
        slurm_job: the job that it is itself on SLURM; "" for none.
        slurm_restarts: how often that job had been put in the queue again; "" for never.
        user: number of who started it.
    """

    owner: Owner
    since: str
    executor: str = ""
    local: bool = True
    makes: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    slurm_job: str = ""
    slurm_restarts: str = ""
    user: int = -1

    @classmethod
    def this_process(cls) -> "Driver":
        """The process that asks, before it runs jobs."""
        job, restarts = (os.environ.get(name, "") for name in ("SLURM_JOB_ID", "SLURM_RESTART_COUNT"))
        owner, since = Owner.this_process(), time.strftime("%F %T")
        return cls(owner, since, slurm_job=job, slurm_restarts=restarts, user=os.getuid())

    def alive(self) -> bool | None:
        """Whether the driver is running; None where that cannot be seen from here."""
        alive = self.owner.alive()
        ours = self.slurm_job and self.user == os.getuid()
        return False if alive is None and ours and ended(self.slurm_job, self.slurm_restarts) else alive

    def obstacle(self) -> str | None:
        """Why jobs of this driver may be running, and what to do about it; None where certainly none are."""
        if not self.executor:
            return None
        alive, who = self.alive(), f"({self.owner}, {self.executor}, since {self.since})"
        if alive:
            return f"another run is at work {who}; wait for it, or stop it"
        then = "when nothing of it runs any more: snakemake --unlock"
        if alive is None:
            return (
                f"another run was started on a machine that cannot be looked at from here {who}; look there, and {then}"
            )
        if self.local or (self.executor == SLURM and shutil.which("squeue")):
            return None
        return f"the last run ended before its jobs {who}; look for them where {self.executor} runs them, and {then}"

    def clash(self, makes: Collection[str], reads: Collection[str]) -> str | None:
        """A file that this driver makes and the other makes or reads, or the other way round."""
        common = set(self.makes) & {*makes, *reads} | set(self.reads) & set(makes)
        return min(common, default=None)

    def file(self, folder: Path) -> Path:
        """The path of this driver's file in `folder`. A restarted driver keeps its file."""
        return folder / f"{self.owner.host}-{self.owner.pid}-{self.owner.started}.json"


_DRIVERS = TypeAdapter(Driver)


def read(path: Path) -> Driver:
    """Read a driver's file.

    Raises:
        UserError: the file is unreadable.
    """
    try:
        found = read_json(path)
        return _DRIVERS.validate_python({**found, "owner": Owner.parse(found.get("owner"))})
    except ValueError as error:
        raise UserError(f"{path}: does not say who runs here; when nothing does: snakemake --unlock") from error


def write(path: Path, driver: Driver) -> None:
    """Write a driver's file."""
    write_text(path, json.dumps(asdict(driver)))


def others(folder: Path, but: Path | None = None) -> Iterator[tuple[Path, Driver]]:
    """All drivers with a file in a folder, but one.

    Raises:
        UserError: a file is unreadable.
    """
    for path in sorted(folder.glob("*.json")):
        if path == but:
            continue
        try:
            yield path, read(path)
        except UserError:
            # Not one that has ended meanwhile.
            if path.exists():
                raise


def at_work(results: Path) -> str | None:
    """Why jobs may be at work on a results folder, or soon; None where it is certain that there are none.

    Raises:
        UserError: a driver's file is unreadable.
    """
    for _, other in others(results / FOLDER):
        if why := other.obstacle():
            return why
        if other.alive():
            return f"another run is starting ({other.owner}, since {other.since}); wait for it, or stop it"
    return None
