"""Checkpoints, and stopping on SIGTERM."""

import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from torch import nn

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.state_dict import check_shapes, load_state, save_state
from matlabel.training.launch import Job

# Seconds between two checkpoints within an epoch: what a node that fails without warning may cost.
_EVERY = 600.0
# And between two at the end of epochs: those of a small set are shorter than the writing.
_EPOCHS = 30.0
_NOTHING, _KEEP, _STOP = range(3)


@dataclass
class Progress:
    """Progress of a training: history of finished epochs, steps and loss sums of the current one.

    Attributes:
        history: a row of each finished epoch.
        step: steps of the epoch under way that are done.
        sums: name -> sum of a loss term over them, in this process.
    """

    history: list[dict] = field(default_factory=list)
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, values: dict[str, float]) -> None:
        """Count a step with these loss terms."""
        self.step += 1
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def __str__(self) -> str:
        after = f", step {self.step}" if self.step else ""
        return f"epoch {len(self.history) + bool(self.step)}{after}"


def keep(fabric: Fabric, job: Job, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress) -> None:
    """Write the checkpoint from one process: after a step all hold the same."""
    sums = _gathered(fabric, progress.sums)
    if fabric.is_global_zero:
        content = {"fingerprint": job.fingerprint, "model": model.state_dict(), "optimizer": optimizer.state_dict()}
        save_state(job.checkpoint, {**content, "history": progress.history, "step": progress.step, "sums": sums})
    fabric.barrier()


def resume(fabric: Fabric, job: Job, model: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    """Load the checkpoint into model and optimizer, if there is one with the same settings, code and data.

    Raises:
        UserError: the processes do not find the same one.
    """
    progress = _load(fabric, job, model, optimizer)
    check_agreement(fabric, job, (len(progress.history), progress.step))
    return progress


def check_agreement(fabric: Fabric, job: Job, reached: Any) -> None:
    """Check that all processes have read the same checkpoint.

    Args:
        reached: how far this process finds it, hashable.

    Raises:
        UserError: others find it elsewhere.
    """
    if len(set(_gathered(fabric, reached))) > 1:
        raise UserError(
            f"{job.checkpoint}: the processes of {job.stage} do not read the same checkpoint; all nodes must see the "
            "same results folder"
        )


def _load(fabric: Fabric, job: Job, model: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    if not job.checkpoint.exists():
        return Progress()
    try:
        content: dict[str, Any] = load_state(job.checkpoint)
    except UserError as error:
        fabric.print(f"{job.stage}: starting over, the checkpoint is damaged: {error}", file=sys.stderr)
        return Progress()
    if content.get("fingerprint") != job.fingerprint:
        fabric.print(f"{job.stage}: starting over, the checkpoint has other settings, code or data", file=sys.stderr)
        return Progress()
    try:
        progress = Progress(list(content["history"]), int(content["step"]), dict(content["sums"][fabric.global_rank]))
        # Before the model: neither leaves anything of a checkpoint that the other refuses.
        check_shapes(model, content["model"], str(job.checkpoint))
        optimizer.load_state_dict(content["optimizer"])
        model.load_state_dict(content["model"])
    except (UserError, RuntimeError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"{job.checkpoint}: not what {job.stage} writes ({next(iter(str(error).splitlines()), '')[:200]}); "
            "delete it and run again"
        ) from error
    fabric.print(f"{job.stage}: resuming after {progress}", file=sys.stderr)
    return progress


class Watch:
    """Defers SIGTERM to the end of a step while entered, and decides when a checkpoint is due.

    A scheduler sends SIGTERM half a minute or so before SIGKILL: time enough to end the step and write a checkpoint.
    """

    def __init__(self) -> None:
        self._told = False
        self._kept = time.monotonic()
        self._before: Any = None

    def __enter__(self) -> "Watch":
        # Elsewhere than in the main thread, as a notebook may train, there are no signals to be had.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)

    def after_step(
        self, fabric: Fabric, job: Job, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress
    ) -> None:
        """Write a checkpoint if one is due or SIGTERM has come; in the latter case exit.

        Raises:
            SystemExit: with 128 + SIGTERM, after that signal to any of the processes.
        """
        self._keep_if(time.monotonic() - self._kept > _EVERY, fabric, job, model, optimizer, progress)

    def _keep_if(
        self,
        due: bool,
        fabric: Fabric,
        job: Job,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        progress: Progress,
    ) -> None:
        wish = greatest(fabric, _STOP if self._told else _KEEP if due else _NOTHING)
        if wish == _NOTHING:
            return
        keep(fabric, job, model, optimizer, progress)
        self._kept = time.monotonic()
        if wish == _STOP:
            fabric.print(f"{job.stage}: told to stop; the checkpoint holds {progress}", file=sys.stderr)
            raise SystemExit(128 + signal.SIGTERM)

    def after_epoch(
        self,
        fabric: Fabric,
        job: Job,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        progress: Progress,
        last: bool,
    ) -> None:
        """Write a checkpoint after the first and the last epoch, and after others if the last one is old.

        Raises:
            SystemExit: as after a step.
        """
        due = last or len(progress.history) == 1 or time.monotonic() - self._kept > _EPOCHS
        self._keep_if(due, fabric, job, model, optimizer, progress)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._told = True


def greatest(fabric: Fabric, wish: int) -> int:
    """Maximum of a value over the processes: they stop together or not at all, or some would wait forever."""
    if fabric.world_size == 1:
        return wish
    return int(fabric.all_reduce(torch.tensor(int(wish), device=fabric.device), reduce_op="max"))


def mean_over_processes(fabric: Fabric, values: dict[str, float]) -> dict[str, float]:
    """Mean of each named value over the processes."""
    rows = _gathered(fabric, values)
    return {name: sum(row[name] for row in rows) / len(rows) for name in values}


def _gathered(fabric: Fabric, value: Any) -> list[Any]:
    """The value of each process, by rank."""
    if fabric.world_size == 1:
        return [value]
    values = [None] * fabric.world_size
    dist.all_gather_object(values, value)
    return values
