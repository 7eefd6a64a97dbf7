"""What trainings start from: enough images and steps, and weight files that fit. Checked before any job starts."""

from collections.abc import Iterable
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.dataset.scan import Scan
from matlabel.runs.chain import Node, stages_of
from matlabel.settings.config import StageSettings
from matlabel.stages import STAGES


def check_steps(where: str, settings: StageSettings, data: Scan) -> None:
    """A training has a whole batch of images, and the terms time to grow before it ends.

    What the stage dataset rejects is counted here still; the training says the same of what is left.

    Args:
        where: start of the message.

    Raises:
        UserError: it is not so.
    """
    for stage in stages_of(settings):
        own = getattr(settings, stage)
        if not STAGES[stage].trains(own):
            continue
        images = _check_batch(where, stage, settings, data)
        steps = own.epochs_of(images) * (images // own.batch_size)
        if getattr(own, "refines", False) and own.warmup != "auto" and own.warmup >= steps:
            raise UserError(
                f"{where}{stage}.warmup: {own.warmup:g} steps, but the training has {steps}, so that no term would "
                "ever begin; lower it, or set auto"
            )


def _check_batch(where: str, stage: str, settings: StageSettings, data: Scan) -> int:
    training = getattr(settings, stage)
    splits = training.splits or [split for split in data.splits if split not in settings.evaluation.splits]
    images = sum(entry.split in splits and bool(entry.sha256) for entry in data.entries.values())
    if images < training.batch_size:
        raise UserError(
            f"{where}{stage}.batch_size: {training.batch_size}, but there are only {images} training images; lower it"
        )
    return images


def check_starts(nodes: Iterable[tuple[Node, Path]], classes: list[str]) -> None:
    """The weight files that trainings to come start from hold finite weights of the right shapes.

    Reading one takes seconds, most of them for torch: files whose training is done and that are not newer than its
    weights are not read again.

    Args:
        nodes: trainings, and the weights that each writes.
        classes: the class names.

    Raises:
        UserError: a file does not fit.
    """
    done: set[tuple[str, str]] = set()
    for node, written in nodes:
        settings = node.settings
        taken = getattr(settings, "weights_from", None)
        file = taken or settings.weights
        if not taken and file in ("imagenet", "cam", "none"):
            continue
        check = (file, "" if taken else settings.backbone)
        if check in done or (written.exists() and written.stat().st_mtime_ns >= Path(file).stat().st_mtime_ns):
            continue
        done.add(check)
        if taken:
            from matlabel.networks.trained_classifier import check_classifier

            check_classifier(taken, classes)
        else:
            from matlabel.networks.backbones import check_trunk

            check_trunk(file, settings.backbone, f"{node.stage}.weights")
