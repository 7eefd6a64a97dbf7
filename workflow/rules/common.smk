"""What the rules share: functions that ask the plan for the inputs of a job, and for what it takes."""

import sys

from matlabel.artifacts.errors import UserError
from matlabel.runs.resources import needs_of
from matlabel.runs.sources import sources_digest


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
