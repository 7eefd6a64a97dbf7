"""The training loop of classifier and segmenter: batches, steps, progress and history."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from timm.utils.agc import adaptive_clip_grad
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from matlabel.artifacts.atomic import write_text
from matlabel.artifacts.digest import text_sha256
from matlabel.artifacts.errors import LackOfMemory, UserError
from matlabel.devices import memory_named
from matlabel.settings.training import TrainingSettings
from matlabel.training.checkpoint import Progress, Watch, greatest, mean_over_processes, resume
from matlabel.training.launch import Job

# A unit's gradient is cut to this share of its weights' norm: a pretrained backbone's gradients may be any size (with
# frozen norms an EfficientNet-Lite's are a thousand times a ResNet's), and one learning rate is to serve them all.
_CLIP = 0.01
# Nats of cross-entropy. Guessing costs at most ln(classes): such a training has diverged, and does not come back.
_DIVERGED = 100


class Samples(Protocol):
    """Training images by number; `samples[i]` depends on the random seed, the epoch and the number alone."""

    epoch: int

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...


def fit(fabric: Fabric, job: Job, settings: TrainingSettings, model: nn.Module, samples: Samples) -> list[dict]:
    """Train `model` for `settings.epochs_of(len(samples))`, resuming from the job's checkpoint if there is one.

    Args:
        model: `model(batch, step, steps)` -> name -> loss term, already weighted, a cross-entropy first; `step` counts
            from 0 over all epochs. It offers `parameter_groups(settings)`. If it has them, `after_step(done, steps)` is
            called after each step with how many are done, and `columns()` at the end of an epoch, for its row.
        samples: the training images.

    Returns:
        one row an epoch: {"epoch", "loss", each term, "lr"}, means over the epoch, and the model's columns.

    Raises:
        UserError: fewer images than a batch, out of memory, or a training that diverges.
    """
    check_number(job.stage, settings, len(samples))
    bare = model
    model, optimizer = prepare(fabric, model, settings)
    progress = resume(fabric, job, bare, optimizer)
    steps, epochs = len(samples) // settings.batch_size, settings.epochs_of(len(samples))
    shown = _Shown(fabric, job.stage, settings.batch_size, epochs, steps, len(progress.history) * steps + progress.step)
    model.train()
    with Watch() as watch:
        for epoch in range(len(progress.history), epochs):
            for batch in _batches(fabric, job, settings, samples, epoch, progress.step):
                step = progress.step
                _seed(fabric, job, epoch, step)
                begun = epoch * steps + step
                for group in optimizer.param_groups:
                    group["lr"] = group["initial_lr"] * (1 - begun / (epochs * steps)) ** 0.9
                with memory_named(f"{job.stage}.batch_size or {job.stage}.crop"):
                    values = train_step(fabric, model, optimizer, batch, begun, epochs * steps)
                if greatest(fabric, _diverged(values)):
                    raise UserError(
                        f"{job.stage}: the training diverged, its loss is {values['loss']:.4g} in epoch {epoch + 1}; "
                        f"lower {job.stage}.lr"
                    )
                progress.add(values)
                shown.show(epoch, step, values)
                if progress.step < steps:
                    watch.after_step(fabric, job, bare, optimizer, progress)
            means = mean_over_processes(fabric, {name: total / steps for name, total in progress.sums.items()})
            row = {"epoch": epoch + 1, **means, "lr": optimizer.param_groups[0]["lr"]}
            row |= bare.columns() if hasattr(bare, "columns") else {}
            progress = Progress([*progress.history, row])
            watch.after_epoch(fabric, job, bare, optimizer, progress, last=epoch + 1 == epochs)
    return progress.history


def check_number(stage: str, settings: TrainingSettings, images: int) -> None:
    """Refuse to train on fewer images than a batch.

    Raises:
        UserError: they are fewer.
    """
    if images < settings.batch_size:
        raise UserError(f"{stage}: {images} training images are fewer than {stage}.batch_size {settings.batch_size}")


def prepare(fabric: Fabric, model: nn.Module, settings: TrainingSettings) -> tuple[nn.Module, torch.optim.Optimizer]:
    """The model of `fit` on its device and in its precision, and the optimizer of its parameters."""
    return fabric.setup(model, _optimizer(model.parameter_groups(settings), settings))


def train_step(
    fabric: Fabric, model: nn.Module, optimizer: torch.optim.Optimizer, batch: dict[str, Any], step: int, steps: int
) -> dict[str, float]:
    """One batch: forward, backward, the optimizer's step and after_step; model and optimizer as `prepare` gives them.

    Args:
        step: its number, from 0.
        steps: of the whole training.

    Returns:
        {"loss", each term}, before the step.
    """
    terms = model(batch, step, steps)
    loss = torch.stack(list(terms.values())).sum()
    fabric.backward(loss)
    for group in optimizer.param_groups:
        if group["clip"]:
            adaptive_clip_grad([each for each in group["params"] if each.ndim > 1], _CLIP)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    if hasattr(model.module, "after_step"):
        model.module.after_step(step + 1, steps)
    return {"loss": float(loss.detach()), **{name: float(term.detach()) for name, term in terms.items()}}


def _diverged(values: dict[str, float]) -> bool:
    _, first, *_ = values.values()
    return first > _DIVERGED or not all(map(isfinite, values.values()))


def write_history(path: Path, history: list[dict]) -> None:
    """history.csv: a line an epoch, a column a term (0 where it had not begun; empty: not known), no timings."""
    names = list(dict.fromkeys(name for row in history for name in row))
    lines = [",".join(names)]
    known = ([row.get(name, 0.0) for name in names] for row in history)
    lines += [",".join("" if value is None else f"{value:.6g}" for value in row) for row in known]
    write_text(path, "\n".join(lines) + "\n")


def head_and_backbone(backbone: nn.Module, heads: list[nn.Module], settings: TrainingSettings) -> list[dict]:
    """Two parameter groups: the backbone at settings.lr, the new layers at head_lr_factor times that.

    With SGD the backbone's gradients are clipped to its weights (Brock et al., 2021: adaptive gradient clipping); AdamW
    takes steps of one size whatever the gradients.
    """
    fast = [parameter for head in heads for parameter in head.parameters() if parameter.requires_grad]
    slow = [parameter for parameter in backbone.parameters() if parameter.requires_grad]
    groups = [
        {"params": slow, "lr": settings.lr, "clip": settings.optimizer == "sgd"},
        {"params": fast, "lr": settings.lr * settings.head_lr_factor, "clip": False},
    ]
    return [group for group in groups if group["params"]]


def _optimizer(groups: list[dict], settings: TrainingSettings) -> torch.optim.Optimizer:
    for group in groups:
        group["initial_lr"] = group["lr"]
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
    return torch.optim.SGD(groups, momentum=0.9, weight_decay=settings.weight_decay, nesterov=True)


def _seed(fabric: Fabric, job: Job, epoch: int, step: int) -> None:
    # Dropout and such: derived, so that a resumed training draws what an undisturbed one would.
    torch.manual_seed(int(text_sha256(f"{job.seed} {epoch} {step} {fabric.global_rank}")[:15], 16))


def _batches(
    fabric: Fabric, job: Job, settings: TrainingSettings, samples: Samples, epoch: int, first: int
) -> Iterator[dict[str, Any]]:
    generator = torch.Generator().manual_seed(job.seed * 7919 + epoch)
    order = torch.randperm(len(samples), generator=generator).tolist()
    size, share = settings.batch_size, settings.batch_size // fabric.world_size
    # The last, smaller batch is dropped: BatchNorm over pooled features fails on a single image.
    plan = [
        order[begin + fabric.global_rank * share : begin + (fabric.global_rank + 1) * share]
        for begin in range(first * size, len(order) - size + 1, size)
    ]
    samples.epoch = epoch
    workers = job.workers
    if workers is None:
        workers = 8 if fabric.device.type == "cuda" else 0
    loader = DataLoader(_Numbered(samples), batch_sampler=plan, num_workers=workers)
    with _death_named(job.stage):
        for batch in _started(loader):
            yield {name: fabric.to_device(v) if isinstance(v, Tensor) else v for name, v in batch.items()}


def _started(loader: DataLoader) -> Iterator[dict[str, Any]]:
    # A scheduler signals every process of a job. The loading ones start with the signal blocked, and keep it so: who
    # trains needs them until its checkpoint is written.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        return iter(loader)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _death_named(stage: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        # Torch has no exception of its own for it.
        if "DataLoader worker" not in str(error):
            raise
        raise LackOfMemory(
            f"{stage}: a loading process died, most likely for lack of memory; lower {stage}.workers"
        ) from error


class _Numbered(Dataset):
    def __init__(self, samples: Samples):
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self._samples[index]


class _Shown:
    """Prints progress now and then: loss terms, images a second, time left."""

    def __init__(self, fabric: Fabric, stage: str, batch_size: int, epochs: int, steps: int, first: int):
        self._on = fabric.is_global_zero
        self._stage, self._batch_size, self._epochs, self._steps = stage, batch_size, epochs, steps
        self._begin = self._shown = time.monotonic()
        self._first = first

    def show(self, epoch: int, step: int, values: dict[str, float]) -> None:
        now, last = time.monotonic(), epoch + 1 == self._epochs and step + 1 == self._steps
        if not self._on or (now - self._shown < 10 and not last):
            return
        self._shown = now
        done = epoch * self._steps + step + 1
        pace = (now - self._begin) / (done - self._first)
        left = int(pace * (self._epochs * self._steps - done))
        terms = "  ".join(f"{name} {value:.3f}" for name, value in values.items())
        print(
            f"{self._stage}  epoch {epoch + 1}/{self._epochs}  step {step + 1}/{self._steps}  {terms}  "
            f"{self._batch_size / pace:.1f} images/s  {left // 60}:{left % 60:02d} left",
            file=sys.stderr,
            flush=True,
        )
