"""What the rules share: the plan, and functions that ask it for the inputs of a job."""

import atexit
import contextlib
import os
import sys
from pathlib import Path
from shlex import quote

from snakemake.io import IOFile
from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod

from matlabel import command_line, driver
from matlabel.artifacts.errors import UserError, storage_problem
from matlabel.cluster import Planned
from matlabel.exits import NoRetries
from matlabel.inspection.mirror import mirrored
from matlabel.inspection.records import begun, submitted
from matlabel.plan import Plan
from matlabel.plan.chain import STAGES
from matlabel.plan.config_files import refuse_odd_files
from matlabel.plan.links import set_links
from matlabel.plan.lost import first_lost
from matlabel.plan.needs import needs_of
from matlabel.plan.sources import sources_digest
from matlabel.scores import warnings_of

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


onsuccess:
    if workflow.is_main_process:
        driver.end()
        if restoring:
            go_on()
        say_warnings()


onerror:
    if workflow.is_main_process:
        driver.end(unfinished=begun(Path.cwd()))


def settings_of(wildcards):
    return plan.settings_file(wildcards.key)


def code_of(stage):
    return plan.code_file(stage)


def manifest_of(wildcards):
    return plan.shard_csv(wildcards.shard)


def checks_of(wildcards):
    return plan.artifact(dataset_of(wildcards), wildcards.shard)


def dataset_of(wildcards):
    return plan.node(wildcards.key).upstream["dataset"]


def shard_of(stage):
    """The shard of an upstream stage that belongs to this job's; nothing where the job does not read that stage."""

    def find(wildcards):
        upstream = plan.node(wildcards.key).upstream
        return plan.artifact(upstream[stage], wildcards.shard) if stage in upstream else []

    return find


def weights_of(stage):
    """The weights of an upstream training; nothing where the job does not read that stage."""

    def find(wildcards):
        upstream = plan.node(wildcards.key).upstream
        return plan.artifact(upstream[stage]) if stage in upstream else []

    return find


def entry_of(wildcards):
    """The file that reads activations from their source: an edited network reruns only what it reads."""
    kind = plan.node(wildcards.key).settings.kind
    return "stage" if kind == "cam" else f"{kind}_stage"


def all_shards_of(stage):
    """All shards of an upstream stage in the splits that this job reads."""

    def find(wildcards):
        node = plan.node(wildcards.key)
        return plan.artifacts(node.upstream[stage], plan.splits(node)) if stage in node.upstream else []

    return find


def manifests_of(wildcards):
    return [plan.shard_csv(number) for number in plan.shards(plan.splits(plan.node(wildcards.key)))]


def list_of(wildcards):
    return plan.list_file(plan.splits(plan.node(wildcards.key)))


def start_of(wildcards):
    """Weight files that a training starts from: another file under the same name is another training."""
    return plan.start_files(wildcards.key)


def cam_of(wildcards):
    """Weights of the classifier that a segmenter starts from, if it does."""
    upstream = plan.node(wildcards.key).upstream
    return plan.artifact(upstream["cam"]) if "cam" in upstream else ""


def ablation_inputs(wildcards):
    """What the ablation reads, or one clear message: whether it is asked for is not known before."""
    try:
        return plan.ablation_inputs()
    except UserError as error:
        sys.exit(f"matlabel: {error}")


def option(name, paths):
    """`--name path`, or nothing where there is no such input."""
    return f"--{name} {paths}" if paths else ""


def folder_option(stage):
    """`--stage results/stage/key`, or nothing where the job does not read that stage."""

    def find(wildcards):
        upstream = plan.node(wildcards.key).upstream
        return f"--{stage} {plan.node(upstream[stage]).folder}" if stage in upstream else ""

    return find


def threads_of(wildcards):
    return getattr(plan.node(wildcards.key).settings, "threads", 1)


def workers_of(wildcards):
    workers = plan.node(wildcards.key).settings.workers
    return -1 if workers is None else workers


def matting_threads_of(wildcards):
    """A process for every 128 images: on fewer its start takes as long as its work, and shards run side by side."""
    images = plan.data.shards[wildcards.shard].images
    return max(1, min(plan.node(wildcards.key).settings.workers, images // 128))


def matting_gpus_of(wildcards):
    settings = plan.node(wildcards.key).settings
    uses_gpu = settings.method in ("closed_form", "vitmatte") and settings.device != "cpu"
    return int(uses_gpu and (plan.wants_gpu or settings.device == "cuda"))


def gpus_of(wildcards):
    # Weights that are taken over are only copied.
    if plan.frozen(wildcards.key):
        return 0
    return getattr(plan.node(wildcards.key).settings, "processes", 1) if plan.wants_gpu else 0


def needs(wildcards, attempt=1):
    """What the job asks a scheduler for; on one machine only `--resources mem_mb=...` looks at it."""
    node = plan.node(wildcards.key)
    mattes = node.stage == "mattes"
    return needs_of(
        node.stage,
        node.settings,
        0 if plan.frozen(wildcards.key) else plan.images(wildcards.key, wildcards.get("shard")),
        gpu=bool(matting_gpus_of(wildcards) if mattes else gpus_of(wildcards)),
        workers=matting_threads_of(wildcards) if mattes else 1,
        attempt=attempt,
    )


def memory_of(wildcards, attempt):
    return needs(wildcards, attempt).memory


def minutes_of(wildcards, attempt):
    return needs(wildcards, attempt).minutes


def cores_of(wildcards):
    return needs(wildcards).cores


def nodes_of(wildcards):
    return 1 if plan.frozen(wildcards.key) else plan.node(wildcards.key).settings.nodes


def on_several_machines(value):
    """A resource that only a training on more than one machine has: there `srun` starts its processes."""

    def find(wildcards):
        return value(plan.node(wildcards.key).settings) if nodes_of(wildcards) > 1 else None

    return find


def shares_of(settings):
    """Options of sbatch: as many processes and GPUs on each machine; only their sums are said otherwise."""
    gpus = f" --gpus-per-node={settings.devices}" if plan.wants_gpu else ""
    return f"--ntasks-per-node={settings.devices}{gpus}"


def launch_of(wildcards):
    """What stands before the command; nothing outside a scheduler's job, where the training says what is missing."""
    settings = plan.node(wildcards.key).settings
    if nodes_of(wildcards) == 1:
        return ""
    step = f"srun --nodes={settings.nodes} --ntasks-per-node={settings.devices} --cpus-per-task={cores_of(wildcards)}"
    return f"${{SLURM_JOB_ID:+{step} --kill-on-bad-exit=1}}"
