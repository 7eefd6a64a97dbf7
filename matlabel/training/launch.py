"""Launching a training: device, precision and processes."""

import atexit
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import (
    ClusterEnvironment,
    LightningEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)
from lightning_fabric.strategies import DDPStrategy

from matlabel.artifacts.errors import UserError
from matlabel.devices import in_bfloat16, pick_device
from matlabel.settings.training import TrainingSettings


@dataclass
class Job:
    """What a training needs beside its settings: stage, random seed, files and devices.

    Attributes:
        stage: for messages.
        seed: of the order of images, the augmentation, the initial weights and dropout.
        device: auto, cpu, cuda or mps.
        checkpoint: written now and then and when the training is told to stop, deleted at the end.
        fingerprint: of settings, code and data; a checkpoint of another is not resumed.
        workers: loading processes; None: none on the CPU, 8 on a GPU.
    """

    stage: str
    seed: int
    device: str
    checkpoint: Path
    fingerprint: str
    workers: int | None = None

    def part(self, name: str) -> "Job":
        """A sub-training of this job with its own checkpoint."""
        checkpoint = self.checkpoint.with_stem(f"{self.checkpoint.stem}-{name}")
        return replace(self, checkpoint=checkpoint, fingerprint=f"{self.fingerprint} {name}")


def start(job: Job, settings: TrainingSettings) -> Fabric:
    """Launch the processes of a training and set its random seed.

    On one machine the first process starts the others. On several, each has to be started there, with `srun` or
    `torchrun`, one a device; they find each other by what these leave in the environment.

    Raises:
        UserError: the device or the number of devices or processes is not to be had.
    """
    device = pick_device(job.device)
    if device == "cuda" and settings.devices > torch.cuda.device_count():
        raise UserError(f"{job.stage}.devices is {settings.devices}, but there are {torch.cuda.device_count()} GPUs")
    # On the CPU it costs nothing, and without it the gradient of an indexing adds in the order its threads come.
    deterministic = settings.deterministic or device == "cpu"
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.utils.deterministic.fill_uninitialized_memory = False
    torch.use_deterministic_algorithms(deterministic, warn_only=device != "cpu")
    precision = "bf16-mixed" if in_bfloat16(settings.precision, device) else "32-true"
    environment = _environment(job.stage, settings)
    # Terms begin after a warm-up, and with them parameters that had no gradient until then.
    strategy = DDPStrategy(find_unused_parameters=True) if settings.processes > 1 else "auto"
    fabric = Fabric(
        accelerator=device,
        devices=settings.devices,
        num_nodes=settings.nodes,
        strategy=strategy,
        precision=precision,
        plugins=[environment],
    )
    fabric.launch()
    atexit.register(_end_the_others, getattr(fabric.strategy.launcher, "procs", []))
    # After the launch, which divides the machine's cores among its processes.
    torch.set_num_threads(settings.threads)
    torch.manual_seed(job.seed)
    return fabric


def _end_the_others(processes: list[subprocess.Popen]) -> None:
    # Where this process ends by an error, those that it started would wait for it, and hold their GPUs.
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _environment(stage: str, settings: TrainingSettings) -> ClusterEnvironment:
    if TorchElasticEnvironment.detect() and int(os.environ["WORLD_SIZE"]) == settings.processes:
        return TorchElasticEnvironment()
    # A step of one task is how a scheduler runs everything: the other processes are then started from here.
    if settings.nodes > 1 and int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) == settings.processes:
        return SLURMEnvironment(auto_requeue=False)
    if settings.nodes > 1:
        raise UserError(
            f"{stage}.nodes is {settings.nodes}, but this process was not started as one of {settings.processes} "
            f"({stage}.devices x {stage}.nodes) by srun or torchrun; run the workflow on a cluster "
            f"(--workflow-profile profiles/slurm), or set {stage}.nodes to 1"
        )
    return LightningEnvironment()
