"""The stage activations: runs the classifier on a shard of photographs, writes their class probabilities.

Other sources have stages of their own beside this file, which write the same: `segmenter_stage.py`, `files_stage.py`.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from matlabel.activations.stored import stored
from matlabel.activations.views import Activations, activations
from matlabel.activations.walk_power import power_for
from matlabel.artifacts.context import load_context
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.shard import write_shard
from matlabel.dataset.batches import in_slot_order
from matlabel.dataset.images import load_image, resize_long_side
from matlabel.dataset.manifest import Entry, load_shard, tag_indices
from matlabel.devices import Halving, in_bfloat16, pick_device
from matlabel.networks.trained_classifier import Classifier, load_classifier
from matlabel.settings.activations import ActivationsSettings


def run(settings: Path, dataset: Path, weights: Path, out: Path, device: str = "auto", code: str = "") -> None:
    """Read the activations of a shard.

    Args:
        settings: settings.yaml of the stage.
        dataset: the shard's CSV.
        weights: model.safetensors of the stage cam.
        out: the shard to write: per image `classes` uint8[C], `probabilities` uint8[C + 1, h, w] (background first,
            a quarter of the image's size, summing to 255), and with spreading `unspread`.
        device: auto, cpu, cuda or mps.
        code: digest of the sources, for the provenance.

    Raises:
        UserError: the settings name another source, or the classifier was trained for other classes or without what
            they ask for.
    """
    context = load_context(settings, "activations", ActivationsSettings)
    context.settings.expect("cam", settings)
    torch.set_num_threads(context.settings.threads)
    with recorded([out], stage="activations", key=context.key, code=code) as inputs:
        shard = load_shard(dataset)
        inputs.add([settings, weights, *shard.files])
        classifier = load_classifier(weights, pick_device(device))
        if classifier.classes != context.classes:
            raise UserError(f"{weights}: trained for {classifier.classes}, the data has {context.classes}")
        chosen = readable(context.settings, classifier, weights)

        def read(batch: list[Entry]) -> list[Activations]:
            labels = [[label - 1 for label in tag_indices(entry, context.classes)] for entry in batch]
            images = [load_image(shard.folder, entry) for entry in batch]
            return _read(images, labels, classifier, chosen)

        in_halves = Halving(read, "a smaller activations.size")
        with write_shard(out, **context.shard_attributes) as writer:
            for entry, found in in_slot_order(shard, in_halves, context.settings.batch_size):
                planes = (found.probabilities, found.unspread)
                arrays = [None if plane is None else plane.cpu().numpy() for plane in planes]
                writer.add(entry.id, **stored(tag_indices(entry, context.classes), *arrays))


def readable(settings: ActivationsSettings, classifier: Classifier, weights: Path) -> ActivationsSettings:
    """The settings as they suit the classifier.

    `read: maps` where the choice by tags took a plain one, which has no embedding; a number for `spread.power: auto`.

    Raises:
        UserError: they ask for what the classifier was not trained with.
    """
    if classifier.plain:
        print(f"activations: read from class maps alone, for {classifier.plain}", file=sys.stderr)
        settings = settings.model_copy(update={"read": "maps"})
    if settings.read != "maps" and classifier.centres is None:
        raise UserError(f"{weights}: trained without an embedding; set activations.from: maps")
    spread = settings.spread
    if spread.steps and spread.power == "auto":
        spread = spread.model_copy(update={"power": power_for(classifier.network.backbone, spread.layers)})
        print(f"activations: spread.power is {spread.power} for this backbone", file=sys.stderr)
    return settings.model_copy(update={"spread": spread})


def _read(
    images: list[np.ndarray],
    labels: list[list[int]],
    classifier: Classifier,
    settings: ActivationsSettings,
) -> list[Activations]:
    height, width = images[0].shape[:2]
    # A picture larger than the largest view is brought down before it goes to the device.
    most = min(round(settings.size * max(settings.scales)), max(height, width))
    device = next(classifier.network.parameters()).device
    stack = torch.from_numpy(np.stack([resize_long_side(image, most) for image in images])).permute(0, 3, 1, 2)
    mixed = torch.autocast(device.type, torch.bfloat16, enabled=in_bfloat16(settings.precision, device.type))
    with mixed:
        return activations(stack.to(device), labels, (height, width), classifier, settings)
