"""Input, parameter and resource functions of the Snakemake rules: from a job's wildcards, by the plan."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

from matlabel.artifacts.errors import UserError
from matlabel.runs import inputs
from matlabel.runs.plan import Plan
from matlabel.runs.resources import Resources, resources_of
from matlabel.runs.sources import sources_digest
from matlabel.stages import FIRST, FOLDERS, STAGES

# Of Snakemake's: wildcards with `key` and, of a sharded stage, `shard`; it passes `input` and `attempt` by name.
Wildcards = Any
Find = Callable[..., Any]


class JobParts:
    """The parts of rules, for one plan. Files that a job does not read are empty lists, and options empty texts."""

    def __init__(self, plan: Plan):
        self._plan = plan

    # -- inputs and outputs --------------------------------------------------------------------------------------

    def made_by(self, stage: str) -> dict[str, Any]:
        """Inputs of every job: its settings.yaml and its stage's code file."""
        return {"settings": f"{FOLDERS[stage].folder}/settings.yaml", "code": self.code(stage)}

    def code(self, stage: str) -> Find:
        """The stage's code file: edited code is another file."""
        return lambda wildcards: self._plan.code_file(stage, self._entry(stage, wildcards))

    def digest(self, stage: str) -> Find:
        """The digest of the stage's code."""
        return lambda wildcards: sources_digest(stage, self._entry(stage, wildcards))

    def images(self, wildcards: Wildcards) -> dict[str, str]:
        """The manifest of the job's shard, and its checks."""
        checks = self.shard(FIRST.name)(wildcards)
        return {"manifest": self.manifest(wildcards), "checks": checks}

    def manifest(self, wildcards: Wildcards) -> str:
        """The manifest of the job's shard."""
        return self._plan.shard_csv(wildcards.shard)

    def shard(self, stage: str) -> Find:
        """The shard of an upstream stage that belongs to this job's."""
        return lambda wildcards: self._upstream(wildcards, stage, wildcards.shard)

    def weights(self, stage: str) -> Find:
        """The weights of an upstream training."""
        return lambda wildcards: self._upstream(wildcards, stage)

    def all_images(self, wildcards: Wildcards) -> dict[str, Any]:
        """Manifests, checks and their list of all splits that a training learns from; {} where nothing is trained."""
        node = self._plan.node(wildcards.key)
        if self._plan.frozen(node.key):
            return {}
        splits = self._plan.splits(node)
        manifests = [self._plan.shard_csv(number) for number in self._plan.shards(splits)]
        checks = self._plan.artifacts(node.upstream[FIRST.name], splits)
        return {"manifests": manifests, "checks": checks, "list": self._plan.list_file(splits)}

    def all_shards(self, *stages: str) -> Find:
        """Stage -> all shards of these upstream stages in the splits that this job reads."""

        def find(wildcards: Wildcards) -> dict[str, list[str]]:
            node = self._plan.node(wildcards.key)
            read = [stage for stage in stages if stage in node.upstream]
            return {stage: self._plan.artifacts(node.upstream[stage], self._plan.splits(node)) for stage in read}

        return find

    def weight_files(self, wildcards: Wildcards) -> list[str]:
        """Weight files that the job starts from, as inputs: a changed file reruns the training."""
        return inputs.weight_files(self._plan, wildcards.key)

    def label_masks(self, wildcards: Wildcards) -> list[str]:
        """The true masks of the job's shard, where labels are made of them."""
        return inputs.label_masks(self._plan, wildcards.key, wildcards.shard)

    def corrections(self, wildcards: Wildcards) -> Any:
        """The users' corrections for the job's shard."""
        return self._plan.corrections.get((wildcards.key, wildcards.shard), [])

    def maps(self, wildcards: Wildcards) -> Any:
        """The user-supplied maps for the job's shard."""
        return self._plan.maps.get((wildcards.key, wildcards.shard), [])

    def evaluated(self, wildcards: Wildcards) -> dict[str, Any]:
        """Inputs of an evaluation."""
        return inputs.evaluation_inputs(self._plan, wildcards.key)

    def reported(self, wildcards: Wildcards) -> dict[str, Any]:
        """Inputs of the report."""
        return inputs.report_inputs(self._plan)

    def compared(self, wildcards: Wildcards) -> dict[str, Any]:
        """Inputs of the ablation, or one clear message: whether it is a target is not known earlier."""
        try:
            return inputs.ablation_inputs(self._plan)
        except UserError as error:
            sys.exit(f"matlabel: {error}")

    # -- resources -----------------------------------------------------------------------------------------------

    def threads(self, wildcards: Wildcards) -> int:
        """Cores of this machine that the job uses."""
        node = self._plan.node(wildcards.key)
        if node.definition.workers:
            return node.definition.workers(node.settings, self._images(wildcards))
        return getattr(node.settings, "threads", 1)

    def resources(self, *, gpu: bool = False) -> dict[str, Any]:
        """Resources of a job: memory, time and cores; of those that run networks or matting, GPUs and the device."""
        found: dict[str, Any] = {
            "mem_mb": lambda wildcards, attempt: self._resources(wildcards, attempt).memory,
            "runtime": lambda wildcards, attempt: self._resources(wildcards, attempt).minutes,
            "cpus_per_task": self._cores,
        }
        return found | ({"gpu": self._gpus, "device": self._plan.config.device} if gpu else {})

    def launch(self) -> dict[str, Any]:
        """Further resources of a training, which on several machines is started by `srun`."""
        return {
            "mpi": self._on_several(lambda settings: "srun"),
            "nodes": self._nodes,
            "tasks": self._on_several(lambda settings: settings.processes),
            # Not a multiple of the GPUs, as the executor has it without this.
            "tasks_per_gpu": self._on_several(lambda settings: -1),
            "slurm_extra": self._on_several(self._shares),
            "workers": self._workers,
            # A resource and not a parameter: no part of the result.
            "launch": self._launch,
        }

    def _images(self, wildcards: Wildcards) -> int:
        """How many images the job reads."""
        if self._plan.frozen(wildcards.key):
            return 0
        return self._plan.images(wildcards.key, wildcards.get("shard"))

    def _resources(self, wildcards: Wildcards, attempt: int = 1) -> Resources:
        node = self._plan.node(wildcards.key)
        gpu = bool(self._gpus(wildcards))
        return resources_of(node.definition, node.settings, self._images(wildcards), gpu, attempt)

    def _cores(self, wildcards: Wildcards) -> int:
        return self._resources(wildcards).cores

    def _gpus(self, wildcards: Wildcards) -> int:
        node = self._plan.node(wildcards.key)
        return node.definition.gpus(node.settings, self._plan.wants_gpu)

    def _nodes(self, wildcards: Wildcards) -> int:
        return 1 if self._plan.frozen(wildcards.key) else self._plan.node(wildcards.key).settings.nodes

    def _on_several(self, value: Callable[[Any], Any]) -> Find:
        """A resource only for trainings on more than one machine."""
        return lambda wildcards: value(self._settings(wildcards)) if self._nodes(wildcards) > 1 else None

    def _shares(self, settings: Any) -> str:
        """sbatch options for processes and GPUs on each machine: Snakemake passes only their totals."""
        gpus = f" --gpus-per-node={settings.devices}" if self._plan.wants_gpu else ""
        return f"--ntasks-per-node={settings.devices}{gpus}"

    def _workers(self, wildcards: Wildcards) -> int:
        workers = self._settings(wildcards).workers
        return -1 if workers is None else workers

    def _launch(self, wildcards: Wildcards) -> str:
        """The launcher before the command; empty outside a scheduler's job, where the training says what it lacks."""
        if self._nodes(wildcards) == 1:
            return ""
        settings, cores = self._settings(wildcards), self._cores(wildcards)
        step = f"srun --nodes={settings.nodes} --ntasks-per-node={settings.devices} --cpus-per-task={cores}"
        return f"${{SLURM_JOB_ID:+{step} --kill-on-bad-exit=1}}"

    # -- options of commands -------------------------------------------------------------------------------------

    def options(self, *names: str, folders: Sequence[str] = (), **inputs: str) -> Find:
        """`--name path` for each of these that the job reads.

        Args:
            names: of inputs, which are files.
            folders: stages whose folder is named, results/<stage>/<key>.
            inputs: option -> input, where they are called otherwise.
        """
        files = {name.replace("_", "-"): name for name in names} | inputs

        def find(wildcards: Wildcards, input: Any) -> str:
            upstream = self._plan.node(wildcards.key).upstream
            found = {option: input.get(name) for option, name in files.items()}
            read = [stage for stage in folders if stage in upstream and input.get(stage)]
            found |= {stage: self._plan.node(upstream[stage]).folder for stage in read}
            return " ".join(f"--{option} {path}" for option, path in found.items() if path)

        return find

    def _settings(self, wildcards: Wildcards) -> Any:
        return self._plan.node(wildcards.key).settings

    def _upstream(self, wildcards: Wildcards, stage: str, number: str | None = None) -> Any:
        upstream = self._plan.node(wildcards.key).upstream
        return self._plan.artifact(upstream[stage], number) if stage in upstream else []

    def _entry(self, stage: str, wildcards: Wildcards) -> str:
        key = wildcards.get("key")
        return STAGES[stage].entry(self._plan.node(key).settings) if key else "stage"


def leaves(stage: str, key: str = "{key}") -> dict[str, Any]:
    """Outputs of a stage's jobs: `main`, and what lies beside it."""
    found = FOLDERS[stage]
    folder = found.folder.format(key=key)
    beside = [f"{folder}/{name}" for name in found.beside]
    return {"main": f"{folder}/{found.main}"} | ({"beside": beside} if beside else {})


def png_of(stage: str) -> str:
    """The folder that a job exports its shard to as PNGs."""
    return f"{FOLDERS[stage].folder}/{FOLDERS[stage].png}"


def log_of(stage: str) -> str:
    """The log file of a stage's jobs."""
    return f"logs/{stage}/{{key}}/{{shard}}.log" if FOLDERS[stage].sharded else f"logs/{stage}/{{key}}.log"
