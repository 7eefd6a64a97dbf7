"""The stage cam: trains the classifier, or takes one that was trained before.

check.json, what the tags say of the classifier (shares and precisions in 0..1; null of one that was taken over):

    {"format": 1,
     "images": whose tags were held out, "classes": that some of them have and others not,
     "trainings": the classifiers that were asked for them: the trained one, or short plain ones on folds,
     "loss": of the held-out tags, as a share of that of their frequencies,
     "mean_ap": mean average precision of the held-out tags,
     "mean_ap_shuffled", "mean_ap_deviation": mean and deviation of the same when tags are shuffled among the images,
     "by_class": {class: average precision},
     "look": the last look at some images, see `cam.check.Look`,
     "steps": of the training, "began": the step at which the terms began, "held_back": how often they were halved,
     "plain": why a plain classifier was taken, in words, or null,
     "objection": what speaks against the terms, in words, whatever was done about it, or null}

held_out.csv has a line for each of these images: id, and for each class the probability that it is tagged with it.
"""

from functools import partial
from pathlib import Path

import torch

from matlabel.artifacts.atomic import write_json, write_text
from matlabel.artifacts.context import Context, load_context
from matlabel.artifacts.digest import canonical, file_sha256, text_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.naming import some
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.weights import load_weights, save_weights
from matlabel.cam.samples import TaggedImages
from matlabel.cam.train import train
from matlabel.dataset.manifest import ShardManifest, load_shards
from matlabel.networks.classifier import CamNetwork
from matlabel.networks.pretrained import build_backbone
from matlabel.networks.trained_classifier import check_classifier
from matlabel.settings.cam import CamSettings
from matlabel.training.launch import Job, start
from matlabel.training.loop import write_history

# What a training that is under way leaves beside its weights.
CHECKPOINTS = "checkpoint*.pt"


def run(
    settings: Path, dataset: Path | None, out: Path, device: str = "auto", code: str = "", workers: int | None = None
) -> None:
    """Train on the shards of `dataset`.

    Args:
        settings: settings.yaml of the stage.
        dataset: list of shard CSVs (or one of them); not read with cam.weights_from.
        out: model.safetensors; history.csv, check.json, held_out.csv and checkpoints are written beside it.
        device: auto, cpu, cuda or mps.
        code: digest of the sources; a checkpoint of other code is not resumed.
        workers: loading processes.

    Raises:
        UserError: weights that do not fit, too few images, no such device.
    """
    context = load_context(settings, "cam", CamSettings)
    history_file = out.with_name("history.csv")
    check_file, held_out_file = out.with_name("check.json"), out.with_name("held_out.csv")
    made = [out, history_file, check_file, held_out_file]
    with recorded(made, stage="cam", key=context.key, code=code) as inputs:
        inputs.add(settings)
        if context.settings.weights_from:
            _adopt(context, out, history_file)
            write_json(check_file, None)
            write_text(held_out_file, "id\n")
            inputs.add(context.settings.weights_from)
            return
        if dataset is None:
            raise UserError("cam needs --dataset to train, or cam.weights_from")
        shards = load_shards(dataset)
        inputs.add([file for shard in shards for file in shard.files])
        job = Job(
            "cam",
            context.seed,
            device,
            out.with_name("checkpoint.pt"),
            _fingerprint(context, inputs.files, code),
            workers,
        )
        fabric = start(job, context.settings)
        inputs.write = fabric.is_global_zero
        samples = TaggedImages(shards, context.classes, context.settings, context.seed)
        _refuse_missing(samples, shards, context.classes)
        network = partial(build_network, len(context.classes), context.seed)
        trained = train(fabric, job, context.settings, samples, network)
        if fabric.is_global_zero:
            write_history(history_file, trained.history)
            write_json(check_file, trained.check(context.classes))
            write_text(held_out_file, trained.held_out_text(context.classes))
            save_weights(out, trained.tensors(), {**_address(context), **trained.metadata()})
            for left in out.parent.glob(CHECKPOINTS):
                left.unlink()


def _refuse_missing(samples: TaggedImages, shards: list[ShardManifest], classes: list[str]) -> None:
    """Stop where a class has no image to learn from, and say whether it never had one.

    Raises:
        UserError: so.
    """
    reasons = [reason for shard in shards for reason in shard.rejected.values()]
    if not len(samples):
        raise UserError(f"cam.splits: no image is left to train on, {len(reasons)} were left out: {some(reasons)}")
    missing = [name for name, count in zip(classes, samples.tags.sum(0), strict=True) if not count]
    if missing:
        left_out = f"; {len(reasons)} images were left out: {some(reasons)}" if reasons else ""
        raise UserError(
            f"cam.splits: no training image is tagged {', '.join(missing)}{left_out}; add photographs of it, or take "
            "it out of classes.txt"
        )


def build_network(classes: int, seed: int, settings: CamSettings) -> CamNetwork:
    """The network at the start of training: backbone loaded as the settings say, the rest random by the random seed."""
    torch.manual_seed(seed)
    backbone = build_backbone(settings.backbone, settings.weights, settings, "cam")
    return CamNetwork(backbone, classes, settings.embedding_channels)


def _adopt(context: Context[CamSettings], out: Path, history_file: Path) -> None:
    source = context.settings.weights_from
    check_classifier(source, context.classes)
    taken = load_weights(source)
    save_weights(out, taken.tensors, {**taken.metadata, **_address(context)})
    write_history(history_file, [{"epoch": 0}])


def _address(context: Context[CamSettings]) -> dict[str, str]:
    """Stage and key in the metadata of a weights file."""
    return {"stage": "cam", "key": context.key, "classes": canonical(context.classes)}


def _fingerprint(context: Context[CamSettings], files: dict[str, str], code: str) -> str:
    weights = context.settings.weights
    started_from = file_sha256(weights) if Path(weights).is_file() else weights
    return text_sha256(canonical([context.raw, sorted(files.values()), code, started_from]))
