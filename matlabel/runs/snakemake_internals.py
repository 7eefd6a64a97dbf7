"""Everything that matlabel reads of Snakemake's undocumented internals.

Checked against Snakemake 9.27.1. `tests/runs/test_snakemake_internals.py` holds the files against Snakemake's own code;
whoever raises its version runs that first. Public, and used elsewhere: the directives of a Snakefile, the command line,
`min_version`, and the events of its logger.
"""

import base64
import binascii
import logging
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.reading import read_json
from matlabel.exits import refusal

FOLDER = Path(".snakemake")
LOCKS = FOLDER / "locks"
# Records of jobs that are done, and of those that have begun.
METADATA, INCOMPLETE = FOLDER / "metadata", FOLDER / "incomplete"
# What it leaves in a folder that a job has made.
TIMESTAMP = ".snakemake_timestamp"

# The beginnings of what it says of a job's reason, each followed by files.
LOST, UPDATED, FOLLOWS = "Missing output files", "Updated input files", "Input files updated by another job"
# Likewise, without files, and what they mean.
REASONS = {
    "Set of input files has changed": "other input files than before{}",
    "Params have changed": "other options of the command than before{}",
    "Code has changed": "the rule was edited{}",
    "Software environment": "another software environment{}",
    "Forced execution": "interrupted, the file may be incomplete{}",
    "Incomplete output files": "interrupted, the file may be incomplete{}",
}

# Options of its command line that show something and run nothing. Of these it tells a Snakefile nothing but `-n`. Known
# by their full names: not where they are shortened, or stand in a profile.
_SHOWN = {
    *("--summary", "-S", "--detailed-summary", "-D", "--dag", "--rulegraph", "--filegraph", "--d3dag", "--lint"),
    *("--list-rules", "--list", "-l", "--list-target-rules", "--lt", "--list-changes", "--lc"),
    *("--list-input-changes", "--li", "--list-params-changes", "--lp", "--list-untracked", "--lu"),
    "--print-compilation",
}


# -- files in .snakemake ---------------------------------------------------------------------------------------------


def locked(directory: Path) -> bool:
    """Whether a run holds the lock of a working directory, or was killed and left it."""
    locks = directory / LOCKS
    return locks.is_dir() and any(locks.iterdir())


def remove_lock(directory: Path) -> None:
    """Remove the lock of a working directory, whoever holds it."""
    shutil.rmtree(directory / LOCKS)
    (directory / LOCKS).mkdir()


def begun(directory: Path) -> set[str]:
    """Files, relative to the working directory, whose jobs have begun and not ended."""
    return {name for name, _ in _records(directory / INCOMPLETE)}


def made(directory: Path) -> set[str]:
    """Files and folders, relative to the working directory, that jobs have made, whether or not they still exist."""
    return {name for name, _ in _records(directory / METADATA)}


def submitted(directory: Path) -> dict[str, set[str]]:
    """Scheduler's job id -> files, relative to the working directory, of jobs that have begun and not ended."""
    found: dict[str, set[str]] = {}
    for name, path in _records(directory / INCOMPLETE):
        try:
            number = read_json(path).get("external_jobid")
        except UserError:
            # Being written, or gone.
            continue
        if isinstance(number, str):
            found.setdefault(number, set()).add(name)
    return found


def _records(root: Path) -> Iterator[tuple[str, Path]]:
    for path in root.rglob("*"):
        # Each record is named by the file's path in base64, long ones over folders that begin with @.
        name = "".join(part.removeprefix("@") for part in path.relative_to(root).parts)
        try:
            yield base64.urlsafe_b64decode(name).decode(), path
        except (binascii.Error, UnicodeDecodeError):
            continue


# -- words -----------------------------------------------------------------------------------------------------------


def files_named(words: str, reason: str) -> list[str]:
    """The files that a job's reason names after these words, sorted."""
    found = re.search(rf"{words}: ([^;]*)", reason)
    return sorted(file for file in found[1].split(", ") if file) if found else []


def unlocks(words: Sequence[str]) -> bool:
    """Whether a command line only removes Snakemake's lock."""
    return "--unlock" in _options(words)


def shows(words: Sequence[str]) -> bool:
    """Whether a command line only prints something."""
    return not _SHOWN.isdisjoint(_options(words))


def report(words: Sequence[str]) -> Path | None:
    """The file of a command line that only writes Snakemake's own report; None for any other."""
    options = _options(words)
    if "--report" not in options or "--report-after-run" in options:
        return None
    word = next(word for word in words if word.partition("=")[0] == "--report")
    _, given, value = word.partition("=")
    if not given:
        value = next(iter(words[words.index(word) + 1 :]), "-")
    return Path("report.html" if value.startswith("-") else value)


def _options(words: Sequence[str]) -> set[str]:
    return {word.partition("=")[0] for word in words[: words.index("--") if "--" in words else None]}


def merged_config(own: Path, files: Sequence[Path], values: Sequence[str]) -> Mapping[str, Any]:
    """The config that a command line of Snakemake stands for, merged by its own functions.

    Args:
        own: the workflow's file, which counts where no other is named.
        files: after --configfile, in this order.
        values: key=value, after --config.

    Raises:
        UserError: a file is no config, or a value is not key=value.
    """
    # Lazy: Snakemake takes a while to import, its command line most of it.
    from snakemake.common.configfile import load_configfile
    from snakemake.exceptions import WorkflowError
    from snakemake.settings.types import ConfigSettings
    from snakemake.utils import update_config

    named = ", ".join(str(file) for file in files) or "config.yaml"
    try:
        given = ConfigSettings(config=_parsed(values), configfiles=files).overwrite_config
        if files:
            return given
        merged = dict(load_configfile(own))
    except (WorkflowError, ValueError, RecursionError) as error:
        raise UserError(f"{named}: {error!s:.200}") from error
    update_config(merged, given)
    return merged


def _parsed(values: Sequence[str]) -> dict[str, Any]:
    if not values:
        return {}
    from snakemake.cli import parse_config
    from snakemake.exceptions import CliException

    try:
        return parse_config(list(values))
    except (ValueError, AssertionError, RecursionError, CliException) as error:
        raise UserError(f"--config {' '.join(values):.200}: {error!s:.200}") from error


# -- the workflow object of a Snakefile ------------------------------------------------------------------------------


class Asked:
    """What a call of Snakemake is to do, read from its workflow object.

    Args:
        workflow: the global of that name in a Snakefile.
    """

    def __init__(self, workflow: Any):
        self._workflow = workflow

    @property
    def is_driver(self) -> bool:
        """Whether this process is the driver, and not inside a job."""
        return self._workflow.is_main_process

    @property
    def config_files(self) -> Sequence[Path]:
        """The config files on the command line."""
        return self._workflow.config_settings.configfiles

    @property
    def is_dry(self) -> bool:
        """Whether this is a dry run (`-n`)."""
        return bool(self._workflow.output_settings.dryrun)

    @property
    def with_conda(self) -> bool:
        """Whether Snakemake makes an environment for the jobs."""
        from snakemake.settings.types import DeploymentMethod

        settings = self._workflow.deployment_settings
        return bool(settings) and DeploymentMethod.CONDA in settings.deployment_method

    def refuse_other_records(self) -> None:
        """Refuse Snakemake's metadata in a data base: only its default, files, can be read here.

        Raises:
            UserError: they are in a data base.
        """
        from snakemake.settings.enums import PersistenceBackend

        if self._workflow.workflow_settings.persistence_backend is not PersistenceBackend.FILE:
            raise UserError("snakemake --persistence-backend: matlabel works with `file` alone; leave the option out")

    @property
    def executes(self) -> bool:
        """Whether jobs will be determined at all: for a run, a dry run, or a touch.

        A Snakefile is read before that is known: to be asked by functions of inputs, hooks, and at the exit.
        """
        return self._workflow.executor_plugin is not None

    @property
    def runs(self) -> bool:
        """Whether jobs are to run: not with `-n`, `--touch`, `--unlock`, `--lint` and the like. When: as `executes`."""
        return self.is_driver and self.executes and not self._workflow.dryrun and not self._workflow.touch

    @property
    def found_nothing(self) -> bool:
        """Whether planning succeeded under the folder's lock and found no job to run."""
        return self.runs and self._workflow.scheduler is not None and not len(self._workflow.dag)

    @property
    def in_batches(self) -> bool:
        """Whether the run makes only a batch of a target's inputs (`--batch`)."""
        return bool(self._workflow.dag_settings.batch)

    @property
    def selects(self) -> bool:
        """Whether options select the jobs to run."""
        settings = self._workflow.dag_settings
        return bool(settings.forceall or settings.forcerun or settings.until or settings.omit_from or settings.batch)

    @property
    def executor(self) -> str:
        """The name of the executor."""
        return self._workflow.executor_plugin.name

    @property
    def runs_children(self) -> bool:
        """Whether jobs run as children of this process."""
        return self._workflow.local_exec

    @property
    def jobs(self) -> list[Any]:
        """The jobs that will run."""
        return list(self._workflow.dag.needrun_jobs())

    def has_made(self, path: str) -> bool:
        """Whether Snakemake's metadata records a job that made this path."""
        from snakemake.io import IOFile

        return self._workflow.persistence.metadata(IOFile(path)) is not None

    def unlock(self) -> None:
        """Release the lock of the folder."""
        self._workflow.persistence.unlock()

    def stop_retries(self, jobs: Iterable[Any]) -> None:
        """Keep jobs that failed by a user's mistake from being retried, see `NoRetries`."""
        from snakemake.logging import logger

        logger.addFilter(NoRetries(self._workflow.dag, jobs))


def slurm_comment(job: Any) -> str:
    """The comment that the SLURM executor gives a job in the queue."""
    return f"rule_{job.name}" + (f"_wildcards_{'_'.join(job.wildcards)}" if job.wildcards else "")


class NoRetries(logging.Filter):
    """Keeps Snakemake from retrying a job that failed by a mistake of the user's.

    Snakemake has a number of retries for each rule and asks nobody; but it says that a job failed just before it looks
    how many of them are left. On the logger, this hears it.

    Args:
        dag: Snakemake's graph of jobs.
        jobs: those that may run.
    """

    def __init__(self, dag: Any, jobs: Iterable[Any]):
        super().__init__()
        self._dag = dag
        # What an earlier run left in a log says nothing of a job that ends before it writes there.
        self._before = {str(log): _written(Path(log)) for job in jobs for log in job.log}

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if getattr(getattr(record, "event", None), "name", "") == "JOB_ERROR":
            for job in self._dag.jobs:
                if self._dag.jobid(job) == getattr(record, "jobid", None):
                    self._failed(job)
        return True

    def _failed(self, job: Any) -> None:
        logs = [Path(log) for log in job.log if _written(Path(log)) != self._before.get(str(log))]
        if any(map(refusal, logs)) and job.restart_times >= job.attempt:
            # As if all had been used up.
            job.attempt = job.restart_times + 1


def _written(log: Path) -> int | None:
    try:
        return log.stat().st_mtime_ns
    except OSError:
        return None
