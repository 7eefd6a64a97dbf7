"""What Snakemake and the driver take beside the stages: planning, a run with nothing to do, a job."""

import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import workflow_inputs
from measure import table

from matlabel.runs.chain import STAGES

ROOT = Path(__file__).resolve().parents[1]
HOUR = 3600


@dataclass
class Overhead:
    """CPU seconds of the driver and what it starts, for one number of images.

    Attributes:
        jobs: of each stage.
        first: `snakemake -n` in an empty folder: every image is hashed.
        planning: `snakemake -n` again, nothing made yet.
        run: `snakemake` to the end, the stages replaced.
        nothing: `snakemake` once more.
    """

    images: int
    jobs: dict[str, int]
    first: float
    planning: float
    run: float
    nothing: float

    @property
    def per_job(self) -> float:
        """What a job adds to a run: choosing, starting and booking it."""
        return (self.run - self.planning) / sum(self.jobs.values())


def run(sizes: Sequence[int], shard_size: int | None, kilobytes: int, with_starts: bool) -> str:
    """The tables: planning by number of images, then the share of an hour that the workflow itself takes.

    Args:
        sizes: numbers of images.
        shard_size: None: the default.
        kilobytes: of an image file.
        with_starts: whether to measure what the stages' processes import, too.
    """
    with tempfile.TemporaryDirectory() as cache:
        # As an installation has it after the first start: some machines are told to keep no bytecode.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = cache
        imported = STAGES if with_starts else ()
        start_of(imported, environment)
        with working_directory(10, shard_size, kilobytes, environment) as snakemake:
            snakemake("-n")
        starts = {stage: start_of([stage], environment) for stage in imported}
        found = [measured(images, shard_size, kilobytes, environment) for images in sizes]
    head = ["images", "jobs", "-n, first ever", "-n, known images", "run, stages replaced", "a job", "nothing to do"]
    rows = [
        [each.images, sum(each.jobs.values()), each.first, each.planning, each.run, each.per_job, each.nothing]
        for each in found
    ]
    parts = [f"CPU seconds; files of {kilobytes} kB, {os.cpu_count()} cores", table(head, rows)]
    if starts:
        each_start = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in starts.items())
        shares = [_share(each, starts) for each in found]
        parts.append(f"Start of a stage's own process, CPU seconds: {each_start}")
        parts.append(table(["images", "driver", "of an hour", "starts of processes", "both, of an hour"], shares))
    return "\n\n".join(parts)


def measured(images: int, shard_size: int | None, kilobytes: int, environment: dict[str, str]) -> Overhead:
    """One number of images, from the first dry run to the run that finds all done.

    Raises:
        RuntimeError: it does not.
    """
    with working_directory(images, shard_size, kilobytes, environment) as snakemake:
        first, printed = snakemake("-n")
        planning, _ = snakemake("-n")
        run, _ = snakemake()
        nothing, last = snakemake()
    if "Nothing to be done" not in last:
        raise RuntimeError(f"a second run found something to do:\n{last}")
    return Overhead(images, jobs_of(printed), first, planning, run, nothing)


@contextmanager
def working_directory(
    images: int, shard_size: int | None, kilobytes: int, environment: dict[str, str]
) -> Iterator[Callable[..., tuple[float, str]]]:
    """A folder that is thrown away; yields Snakemake in it: options -> CPU seconds, and what it printed."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        workflow_inputs.photographs(folder / "data", images, kilobytes)
        config = workflow_inputs.config(folder / "config.yaml", folder / "data", shard_size)
        replaced = workflow_inputs.stand_in(folder / "bin", environment)
        (folder / "work").mkdir()

        def snakemake(*options: str) -> tuple[float, str]:
            command = [str(Path(sys.executable).with_name("snakemake")), "-s", str(ROOT / "Snakefile"), "--cores", "2"]
            command += ["--configfile", str(config), *options]
            return cpu_seconds(command, folder / "work", replaced)

        yield snakemake


def jobs_of(printed: str) -> dict[str, int]:
    """Stage -> number of jobs, from the table that a dry run prints."""
    statistics = printed.split("Job stats:")[-1]
    jobs = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", statistics, flags=re.MULTILINE)}
    return {stage: jobs[stage] for stage in STAGES}


def start_of(stages: Iterable[str], environment: dict[str, str]) -> float:
    """CPU seconds until a process has imported what stages need."""
    imports = [f"import matlabel.{stage}.stage" for stage in stages]
    return cpu_seconds([sys.executable, "-c", "; ".join(["import matlabel.cli", *imports])], ROOT, environment)[0]


def cpu_seconds(command: Sequence[str], folder: Path, environment: dict[str, str]) -> tuple[float, str]:
    """User and system seconds of a command and all it starts, and what it printed. Other work on the machine hardly
    changes them, as it does the time on the clock."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stdout


def _share(found: Overhead, starts: dict[str, float]) -> list[object]:
    """The driver's part and the processes' starts, and both against an hour."""
    started = sum(starts[stage] * jobs for stage, jobs in found.jobs.items())
    shares = [f"{seconds / HOUR:.2%}" for seconds in (found.run, found.run + started)]
    return [found.images, found.run, shares[0], started, shares[1]]
