"""The driver: makes the plan, sets the links, makes first what is lost, and has the first and the last word."""

import atexit
import contextlib
import os
import sys
from pathlib import Path
from shlex import quote

from snakemake.io import IOFile
from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod

from matlabel.runs import command_line, driver
from matlabel.artifacts.errors import UserError, storage_problem
from matlabel.runs.orphaned_jobs import Planned
from matlabel.exits import NoRetries
from matlabel.inspection.mirror import mirrored
from matlabel.inspection.records import begun, submitted
from matlabel.runs import Plan
from matlabel.runs.chain import STAGES
from matlabel.runs.config_files import refuse_odd_files
from matlabel.runs.links import set_links
from matlabel.runs.lost import first_lost
from matlabel.artifacts.scores import warnings_of

# Of a key that is there twice the last would count, without a word.
if workflow.is_main_process:
    refuse_odd_files(workflow.config_settings.configfiles or [f"{workflow.basedir}/config.yaml"])

RESULTS, SNAKEMAKE = Path("results"), Path(".snakemake")
REPORT = command_line.report(sys.argv)
LOOKING = workflow.output_settings.dryrun or REPORT is not None or command_line.shows(sys.argv)
notes = []
try:
    if workflow.is_main_process:
        notes += driver.enter(RESULTS, SNAKEMAKE, LOOKING, unlocking=command_line.unlocks(sys.argv))
        if LOOKING and not (driver.writable(SNAKEMAKE) and (REPORT or driver.writable(RESULTS))):
            if REPORT and not REPORT.is_absolute():
                raise UserError(
                    f"{REPORT}: would be lost, as nothing can be written here; name a file by its whole path"
                )
            # Snakemake writes even then: a mirror of this folder takes it, and is deleted when this process ends.
            elsewhere = contextlib.ExitStack()
            elsewhere.enter_context(mirrored(Path.cwd(), config))
            atexit.register(elsewhere.close)
    plan = Plan(config, write=workflow.is_main_process and driver.writable(RESULTS))
    if workflow.is_main_process:
        plan.check_starts()
except (UserError, OSError) as error:
    problem = storage_problem(error) if isinstance(error, OSError) else error
    if problem is None:
        raise
    # One clear message instead of a traceback through the Snakefile.
    sys.exit(f"matlabel: {problem}")

if workflow.is_main_process:
    for note in notes + plan.data.notes:
        logger.warning(note)

# An environment that Snakemake makes for the jobs has all but this package.
if workflow.deployment_settings and DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method:
    shell.prefix(f"export PATH={quote(f'{workflow.basedir}/workflow/bin')}:$PATH; ")


def begin():
    """Before the first job of a run: what a killed driver left at work ends first, then it is planned again."""
    jobs = list(workflow.dag.needrun_jobs())
    comments = {f"rule_{job.name}" + (f"_wildcards_{'_'.join(job.wildcards)}" if job.wildcards else "") for job in jobs}
    makes = {str(file) for job in jobs for file in job.output}
    reads = {str(file) for job in jobs for file in job.input}
    planned = Planned(Path.cwd(), comments, makes, submitted(Path.cwd()))
    try:
        if not driver.begin(RESULTS, workflow.executor_plugin.name, workflow.local_exec, planned, reads):
            workflow.persistence.unlock()
            driver.again()
        logger.addFilter(NoRetries(workflow.dag, jobs))
    except UserError as error:
        sys.exit(f"matlabel: {error}")


def is_run():
    """Whether jobs are to run: not `-n`, `--touch`, `--summary`, `--unlock`, `--lint` and the like, nor inside a job.

    Snakemake reads this file before it knows, and has no word for it: it names an executor when it is told to execute,
    `dryrun` and `touch` among them, and none for all that only looks. So this may be asked from then on: by functions
    of inputs, hooks, and at the exit.
    """
    executes = workflow.is_main_process and workflow.executor_plugin is not None
    return executes and not workflow.dryrun and not workflow.touch


def link():
    """Let results/runs lead to what this config asks for, or end with one message that says why not."""
    try:
        set_links(plan)
    except (UserError, OSError) as error:
        sys.exit(f"matlabel: {(isinstance(error, OSError) and storage_problem(error)) or error}")


@atexit.register
def link_what_stands(folder=Path.cwd()):
    """Set the links where nothing is to be done: Snakemake calls no hook then.

    The scheduler is made when the plan stands and no other run holds the folder; without it, the run was refused.
    """
    if is_run() and workflow.scheduler is not None and not len(workflow.dag):
        with contextlib.chdir(folder):
            try:
                link()
            except SystemExit as refusal:
                # Too late for another exit status.
                print(refusal, file=sys.stderr)


# The stages whose lost files this driver has made again, each in a run of its own.
RESTORED = "MATLABEL_RESTORED"
restoring = []


def made_before(path):
    return workflow.persistence.metadata(IOFile(path)) is not None


def all_of(stage):
    """What `all_<stage>` asks for; of a batch one file a job, for Snakemake divides what is asked for by name."""

    def find(wildcards):
        return plan.main_files(stage) if workflow.dag_settings.batch else plan.targets(stage)

    return find


def asked(wildcards):
    """All that a config leads to; of a plain run, first what the first stage has lost, and then, once more, all."""
    everything = [path for stage in STAGES for path in all_of(stage)(wildcards)]
    settings = workflow.dag_settings
    if settings.forceall or settings.forcerun or settings.until or settings.omit_from or settings.batch:
        return everything
    tried = os.environ.get(RESTORED, "").split()
    found = first_lost(plan, made_before, tried)
    if found is None or workflow.executor_plugin is None:
        return everything
    stage, paths = found
    named = f"lost: {paths[0]}" + (f" and {len(paths) - 1} more of {stage}" if len(paths) > 1 else "")
    if not is_run():
        logger.warning(f"{named}; a run makes that again first, and what follows only if other bytes come back")
        return everything
    logger.warning(f"{named}; made again first, then all is planned once more")
    restoring[:] = [*tried, stage]
    return paths


def go_on():
    """After what was lost is made again: plan anew, in the same process."""
    os.environ[RESTORED] = " ".join(restoring)
    workflow.persistence.unlock()
    driver.again()


def say_warnings():
    """At the end of a run, what speaks against its labels: without a mask nobody would see it."""
    for (variant, seed), keys in plan.chains.items():
        scores = Path(plan.artifact(keys["evaluation"]))
        try:
            lines = warnings_of(scores, f"WARNING, {variant}, seed {seed}")
        except UserError as error:
            lines = [f"WARNING, {variant}, seed {seed}: {error}"]
        for line in lines:
            logger.warning(line)


onstart:
    if workflow.is_main_process:
        begin()
        link()


onsuccess:
    if workflow.is_main_process:
        driver.end()
        if restoring:
            go_on()
        say_warnings()


onerror:
    if workflow.is_main_process:
        driver.end(unfinished=begun(Path.cwd()))
