"""The state of every variant and stage: what is done, what a run would compute, and why."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import read_provenance
from matlabel.inspection.dry_run import Job, jobs_to_run, planned
from matlabel.inspection.reasons import reasons_of, sentences
from matlabel.inspection.result_files import foreign_folders
from matlabel.inspection.workflow import Workflow
from matlabel.runs import Plan
from matlabel.runs.chain import Node
from matlabel.runs.lost import first_lost
from matlabel.runs.snakemake_internals import begun, locked, made


@dataclass(frozen=True)
class StageState:
    """One artifact folder.

    Attributes:
        state: done, missing, stale, partial, damaged or running.
        there, of: how many of its main files stand, and how many it takes.
        stale: how many of those that stand would be computed again.
        size: bytes of its files, without the exported PNGs.
        written: when the last of them was, as in its provenance; "" for none.
        seconds: what its jobs took, together.
        reasons: sentences that say why it is not done.
    """

    stage: str
    key: str
    state: str
    there: int
    of: int
    stale: int
    size: int
    written: str
    seconds: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Status:
    """The state of all artifacts of a config.

    Attributes:
        chains: (variant, seed) -> stage -> key, as planned; the report is not in them.
        report: its key.
        stages: key -> state.
        jobs: rule -> how many jobs a run would start.
        locked: whether a run holds the folder, or was killed and left it locked.
        lost: whether a run would first make again what is gone; of the jobs, those that follow it may then not run.
        foreign: folders of artifacts that another version of matlabel has made.
    """

    chains: dict[tuple[str, int], dict[str, str]]
    report: str
    stages: dict[str, StageState]
    jobs: dict[str, int]
    locked: bool
    lost: bool
    foreign: tuple[Path, ...]


def status_of(workflow: Workflow) -> Status:
    """The status of a config: Snakemake says what is stale, provenances why. Writes nothing, takes no lock.

    Raises:
        UserError: the config or the data is refused, or Snakemake cannot plan.
    """
    # First, so that a job that ends meanwhile is called running and not missing.
    marks, held = begun(workflow.directory), locked(workflow.directory)
    with planned(workflow) as plan:
        jobs = jobs_to_run(workflow)
        of_key: dict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            of_key[job.key].append(job)
        stages = {key: _state(plan, node, of_key[key], marks, held) for key, node in plan.nodes.items()}
        lost = bool(jobs) and first_lost(plan, made(workflow.directory).__contains__) is not None
    started = dict(Counter(job.rule for job in jobs))
    foreign = tuple(foreign_folders(workflow.directory / "results"))
    return Status(plan.chains, plan.report.key, stages, started, held, lost, foreign)


def _state(plan: Plan, node: Node, jobs: list[Job], marks: set[str], held: bool) -> StageState:
    wanted = plan.artifacts(node.key)
    there = [file for file in wanted if Path(file).exists()]
    again = [job for job in jobs if any(output in there for output in job.outputs)]
    damaged, written, seconds = _provenances(there)
    if held and any(mark.startswith(f"{node.folder}/") for mark in marks):
        state = "running"
    elif len(there) < len(wanted):
        state = "partial" if there else "missing"
    elif again:
        state = "stale"
    else:
        state = "damaged" if damaged else "done"
    reasons = sentences(reason for job in again for reason in reasons_of(job))
    reasons += [f"damaged: {name}; matlabel verify --repair deletes it" for name in damaged]
    return StageState(
        node.stage,
        node.key,
        state,
        len(there),
        len(wanted),
        len(again),
        _size(Path(node.folder)),
        written,
        seconds,
        tuple(reasons),
    )


def _provenances(files: list[str]) -> tuple[list[str], str, float]:
    """Files whose size has changed since they were written, the time of the newest, and the seconds of all jobs."""
    damaged, written, seconds = [], "", 0.0
    for file in files:
        try:
            found = read_provenance(file)
        except UserError:
            damaged.append(Path(file).name)
            continue
        if found is None:
            continue
        written = max(written, str(found.get("finished", "")))
        seconds += float(found.get("seconds", 0))
        if Path(file).stat().st_size != found.get("bytes", Path(file).stat().st_size):
            damaged.append(Path(file).name)
    return damaged, written, seconds


def _size(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
