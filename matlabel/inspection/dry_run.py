"""The jobs that a run would start now, as `snakemake -n` says."""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.inspection.workflow import Workflow
from matlabel.runs import Plan
from matlabel.runs.linked_copy import linked_copy

_SCRIPT = Path(__file__).with_name("dry_run_events.py")
_SHOWN = 15


@dataclass
class Job:
    """One job that would run.

    Attributes:
        rule: its name.
        inputs, outputs: paths relative to the working directory.
        reason: why, in Snakemake's words.
    """

    rule: str
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    reason: str = ""

    @property
    def key(self) -> str:
        """The key that its outputs lie under."""
        return self.outputs[0].split("/")[2]


@contextlib.contextmanager
def planned(workflow: Workflow) -> Iterator[Plan]:
    """The plan of a run, made in a linked copy of its folder and good for as long as one stays there.

    A plan that writes nothing still generates the demo's pictures, where they are not there yet.

    Raises:
        UserError: anything wrong in the config or the data.
    """
    config = workflow.config()
    with linked_copy(workflow.directory, config):
        yield Plan(config)


def jobs_to_run(workflow: Workflow, *options: str) -> list[Job]:
    """The jobs of `snakemake -n`, without targets. Call it in a linked copy, as a dry run writes.

    Args:
        workflow: the run that is meant.
        options: further ones of Snakemake's.

    Raises:
        UserError: Snakemake refuses.
    """
    with tempfile.TemporaryDirectory(prefix="matlabel-") as folder:
        events = Path(folder, "events")
        # -P: a folder of the user's that happens to be called like a package is not imported.
        command = [sys.executable, "-P", str(_SCRIPT), str(events), "--dry-run", *workflow.options, *options]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            lines = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_SHOWN:])
            raise UserError(f"snakemake -n fails (while a run goes on, ask again; else mend this first):\n{lines}")
        jobs = [Job(**json.loads(line)) for line in events.read_text(encoding="utf-8").splitlines()]
    return [job for job in jobs if job.outputs]
