"""The loop both trainings share: devices, precision, checkpoints, progress and history."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies import DDPStrategy
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from matlabel.artifacts.atomic import write_text
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.weights import load_weights, save_weights
from matlabel.devices import memory_named, pick_device
from matlabel.settings.training import TrainingSettings


class Samples(Protocol):
    """Training images by number; what `samples[i]` gives depends on the seed, the epoch and the number alone.

    `order(generator)`, if it has one, gives the numbers of an epoch, as many as there are images; without, each image
    comes once, in random order.
    """

    epoch: int

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...


@dataclass
class Job:
    """Where and how a training runs, beside its settings.

    Attributes:
        stage: for messages.
        seed: of the order of images, the augmentation, the initial weights and dropout.
        device: auto, cpu, cuda or mps.
        checkpoint: written after every epoch, deleted at the end.
        fingerprint: of settings, code and data; a checkpoint of another is not resumed.
        workers: loading processes; None: none on the CPU, 8 on a GPU.
    """

    stage: str
    seed: int
    device: str
    checkpoint: Path
    fingerprint: str
    workers: int | None = None


def start(job: Job, settings: TrainingSettings) -> Fabric:
    """Launch the processes of a training and seed its weights.

    Raises:
        UserError: the device or the number of devices is not to be had.
    """
    torch.set_num_threads(settings.threads)
    if settings.batch_size % settings.devices:
        raise UserError(f"{job.stage}.batch_size {settings.batch_size} must be a multiple of {job.stage}.devices")
    device = pick_device(job.device)
    if device == "cuda" and settings.devices > torch.cuda.device_count():
        raise UserError(f"{job.stage}.devices is {settings.devices}, but there are {torch.cuda.device_count()} GPUs")
    if settings.deterministic or device == "cpu":
        # On the CPU it costs nothing, and without it the gradient of an indexing adds in the order its threads come.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
        torch.utils.deterministic.fill_uninitialized_memory = False
    precision = settings.precision
    if precision == "auto":
        precision = "bf16-mixed" if device == "cuda" else "32-true"
    # Terms begin after a warm-up, and with them parameters that had no gradient until then.
    strategy = DDPStrategy(find_unused_parameters=True) if settings.devices > 1 else "auto"
    fabric = Fabric(accelerator=device, devices=settings.devices, strategy=strategy, precision=precision)
    fabric.launch()
    torch.manual_seed(job.seed)
    return fabric


def fit(fabric: Fabric, job: Job, settings: TrainingSettings, model: nn.Module, samples: Samples) -> list[dict]:
    """Train `model` for settings.epochs, resuming from the job's checkpoint if there is one.

    Args:
        model: `model(batch, epochs)` -> name -> loss term, already weighted; `epochs` is the time since the start.
            It offers `parameter_groups(settings)`; `after_step()` is called after each step if it has one.
        samples: the training images.

    Returns:
        one row an epoch: {"epoch", "loss", each term, "lr"}, means over the epoch.

    Raises:
        UserError: fewer images than a batch, out of memory, or a loss that is not finite.
    """
    if len(samples) < settings.batch_size:
        raise UserError(
            f"{job.stage}: {len(samples)} training images are fewer than {job.stage}.batch_size {settings.batch_size}"
        )
    bare = model
    model, optimizer = prepare(fabric, model, settings)
    history = _resume(fabric, job, bare, optimizer)
    steps = len(samples) // settings.batch_size
    progress = _Progress(fabric, job.stage, settings, steps, len(history))
    for epoch in range(len(history), settings.epochs):
        # Dropout and such: derived, so that a resumed epoch draws what an undisturbed one would.
        torch.manual_seed(job.seed * 100_003 + epoch)
        model.train()
        sums: dict[str, float] = {}
        for step, batch in enumerate(_batches(fabric, job, settings, samples, epoch)):
            done = epoch + step / steps
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * (1 - done / settings.epochs) ** 0.9
            with memory_named(f"{job.stage}.batch_size or {job.stage}.crop"):
                values = train_step(fabric, model, optimizer, batch, done)
            if not all(map(_finite, values.values())):
                raise UserError(f"{job.stage}: the loss is {values['loss']} in epoch {epoch + 1}; lower {job.stage}.lr")
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + value
            progress.show(epoch, step, values)
        means = _mean_over_processes(fabric, {name: total / steps for name, total in sums.items()})
        history.append({"epoch": epoch + 1, **means, "lr": optimizer.param_groups[0]["lr"]})
        _checkpoint(fabric, job, bare, optimizer, history)
    return history


def prepare(fabric: Fabric, model: nn.Module, settings: TrainingSettings) -> tuple[nn.Module, torch.optim.Optimizer]:
    """The model of `fit` on its device and in its precision, and the optimizer of its parameters."""
    return fabric.setup(model, _optimizer(model.parameter_groups(settings), settings))


def train_step(
    fabric: Fabric, model: nn.Module, optimizer: torch.optim.Optimizer, batch: dict[str, Any], epochs: float
) -> dict[str, float]:
    """One batch: forward, backward, the optimizer's step and after_step; model and optimizer as `prepare` gives them.

    Returns:
        {"loss", each term}, before the step.
    """
    terms = model(batch, epochs)
    loss = torch.stack(list(terms.values())).sum()
    fabric.backward(loss)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    if hasattr(model.module, "after_step"):
        model.module.after_step()
    return {"loss": float(loss.detach()), **{name: float(term.detach()) for name, term in terms.items()}}


def write_history(path: Path, history: list[dict]) -> None:
    """history.csv: a line an epoch, a column a term (0 where it had not begun), no timings."""
    names = list(dict.fromkeys(name for row in history for name in row))
    lines = [",".join(names)]
    lines += [",".join(f"{row.get(name, 0.0):.6g}" for name in names) for row in history]
    write_text(path, "\n".join(lines) + "\n")


def head_and_trunk(trunk: nn.Module, heads: list[nn.Module], settings: TrainingSettings) -> list[dict]:
    """Two parameter groups: the trunk at settings.lr, the new layers head_lr_factor faster."""
    fast = [parameter for head in heads for parameter in head.parameters() if parameter.requires_grad]
    slow = [parameter for parameter in trunk.parameters() if parameter.requires_grad]
    groups = [{"params": slow, "lr": settings.lr}, {"params": fast, "lr": settings.lr * settings.head_lr_factor}]
    return [group for group in groups if group["params"]]


def _optimizer(groups: list[dict], settings: TrainingSettings) -> torch.optim.Optimizer:
    for group in groups:
        group["initial_lr"] = group["lr"]
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
    return torch.optim.SGD(groups, momentum=0.9, weight_decay=settings.weight_decay, nesterov=True)


def _batches(
    fabric: Fabric, job: Job, settings: TrainingSettings, samples: Samples, epoch: int
) -> Iterator[dict[str, Any]]:
    generator = torch.Generator().manual_seed(job.seed * 7919 + epoch)
    if hasattr(samples, "order"):
        order = samples.order(generator)
    else:
        order = torch.randperm(len(samples), generator=generator).tolist()
    size, share = settings.batch_size, settings.batch_size // fabric.world_size
    # The last, smaller batch is dropped: BatchNorm over pooled features fails on a single image.
    plan = [
        order[begin + fabric.global_rank * share : begin + (fabric.global_rank + 1) * share]
        for begin in range(0, len(order) - size + 1, size)
    ]
    samples.epoch = epoch
    workers = job.workers
    if workers is None:
        workers = 8 if fabric.device.type == "cuda" else 0
    loader = DataLoader(_Numbered(samples), batch_sampler=plan, num_workers=workers)
    with _death_named(job.stage):
        for batch in loader:
            yield {name: fabric.to_device(v) if isinstance(v, Tensor) else v for name, v in batch.items()}


@contextmanager
def _death_named(stage: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        # Torch has no exception of its own for it.
        if "DataLoader worker" not in str(error):
            raise
        raise UserError(
            f"{stage}: a loading process died, most likely for lack of memory; lower {stage}.workers"
        ) from error


class _Numbered(Dataset):
    def __init__(self, samples: Samples):
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self._samples[index]


def _checkpoint(
    fabric: Fabric, job: Job, model: nn.Module, optimizer: torch.optim.Optimizer, history: list[dict]
) -> None:
    if fabric.is_global_zero:
        content = {"fingerprint": job.fingerprint, "model": model.state_dict(), "history": history}
        save_weights(job.checkpoint, {**content, "optimizer": optimizer.state_dict()})
    fabric.barrier()


def _resume(fabric: Fabric, job: Job, model: nn.Module, optimizer: torch.optim.Optimizer) -> list[dict]:
    if not job.checkpoint.exists():
        return []
    try:
        content = load_weights(job.checkpoint)
    except UserError as error:
        fabric.print(f"{job.stage}: starting over, the checkpoint is damaged: {error}", file=sys.stderr)
        return []
    if content.get("fingerprint") != job.fingerprint:
        fabric.print(f"{job.stage}: starting over, the checkpoint has other settings, code or data", file=sys.stderr)
        return []
    model.load_state_dict(content["model"])
    optimizer.load_state_dict(content["optimizer"])
    fabric.print(f"{job.stage}: resuming after epoch {len(content['history'])}", file=sys.stderr)
    return list(content["history"])


def _mean_over_processes(fabric: Fabric, values: dict[str, float]) -> dict[str, float]:
    if fabric.world_size == 1:
        return values
    mean = fabric.all_reduce(torch.tensor(list(values.values()), dtype=torch.float64), reduce_op="mean")
    return dict(zip(values, mean.tolist(), strict=True))


def _finite(value: float) -> bool:
    return value == value and abs(value) != float("inf")


class _Progress:
    """A line now and then: loss terms, images a second, time left."""

    def __init__(self, fabric: Fabric, stage: str, settings: TrainingSettings, steps: int, first: int):
        self._on = fabric.is_global_zero
        self._stage, self._settings, self._steps = stage, settings, steps
        self._begin = self._shown = time.monotonic()
        self._first = first * steps

    def show(self, epoch: int, step: int, values: dict[str, float]) -> None:
        now, last = time.monotonic(), step + 1 == self._steps
        if not self._on or (now - self._shown < 10 and not last):
            return
        self._shown = now
        done = epoch * self._steps + step + 1
        pace = (now - self._begin) / (done - self._first)
        left = int(pace * (self._settings.epochs * self._steps - done))
        terms = "  ".join(f"{name} {value:.3f}" for name, value in values.items())
        print(
            f"{self._stage}  epoch {epoch + 1}/{self._settings.epochs}  step {step + 1}/{self._steps}  {terms}  "
            f"{self._settings.batch_size / pace:.1f} images/s  {left // 60}:{left % 60:02d} left",
            file=sys.stderr,
            flush=True,
        )
