"""What a run would do now: Snakemake is asked, so that nobody has to guess what it finds fresh."""

import re
import subprocess
import sys
from dataclasses import dataclass, field

from matlabel.artifacts.errors import UserError
from matlabel.inspection.workflow import Workflow

_RULE = re.compile(r"(?:local)?rule (\w+):")
_FIELD = re.compile(r" {4}(input|output|reason): (.*)")
_TOTAL = re.compile(r"^total +(\d+)$", re.MULTILINE)
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


def jobs_to_run(workflow: Workflow, *options: str) -> list[Job]:
    """The jobs that `snakemake -n` lists, targets left out. To be called in a mirror, as a dry run writes.

    Args:
        workflow: the run that is meant.
        options: further ones of Snakemake's.

    Raises:
        UserError: Snakemake refuses, or its output is not what this reads.
    """
    # -P: a folder of the user's that happens to be called like a package is not imported.
    command = [sys.executable, "-P", "-m", "snakemake", "--dry-run", *workflow.options, *options]
    done = subprocess.run(command, capture_output=True, text=True)
    output = done.stdout + done.stderr
    if done.returncode:
        lines = "\n".join(output.strip().splitlines()[-_SHOWN:])
        raise UserError(f"snakemake -n fails (while a run goes on, ask again; else mend this first):\n{lines}")
    if "Nothing to be done" in output:
        return []
    jobs = read_jobs(output)
    total = _TOTAL.search(output)
    if total is None or int(total[1]) != len(jobs):
        raise UserError("snakemake -n does not list its jobs here; is `quiet` set in a profile? take it out")
    return [job for job in jobs if job.outputs]


def read_jobs(output: str) -> list[Job]:
    """The jobs in the output of `snakemake -n`, targets with them."""
    jobs: list[Job] = []
    for line in output.splitlines():
        if rule := _RULE.fullmatch(line):
            jobs.append(Job(rule[1]))
        elif jobs and (found := _FIELD.fullmatch(line)):
            name, value = found.groups()
            if name == "reason":
                jobs[-1].reason = value
            else:
                setattr(jobs[-1], f"{name}s", value.split(", "))
    return jobs
