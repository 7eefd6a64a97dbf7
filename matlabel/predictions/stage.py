"""The stage predictions: runs the segmenter on a shard of photographs, writes its masks."""

from pathlib import Path

import numpy as np
import torch

from matlabel.artifacts.context import load_context
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.png_folder import write_png_folder
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.shard import write_shard
from matlabel.dataset.batches import in_slot_order
from matlabel.dataset.images import load_image, resize_long_side
from matlabel.dataset.manifest import Entry, load_shard
from matlabel.devices import Halving, in_bfloat16, pick_device
from matlabel.networks.segmenter import SegmenterNetwork, load_segmenter, probabilities
from matlabel.pixels.resample import resize
from matlabel.settings.predictions import PredictionsSettings


def run(
    settings: Path,
    dataset: Path,
    weights: Path,
    out: Path,
    png: Path | None = None,
    device: str = "auto",
    code: str = "",
) -> None:
    """Predict the masks of a shard.

    Args:
        settings: settings.yaml of the stage.
        dataset: the shard's CSV.
        weights: model.safetensors of the stage segmenter.
        out: the shard to write: per image `labels` uint8[H, W], 0..K.
        png: folder for the same as palette PNG.
        device: auto, cpu, cuda or mps.
        code: digest of the sources, for the provenance.

    Raises:
        UserError: the segmenter was trained for other classes.
    """
    context = load_context(settings, "predictions", PredictionsSettings)
    torch.set_num_threads(context.settings.threads)
    with recorded([out], stage="predictions", key=context.key, code=code) as inputs:
        shard = load_shard(dataset)
        inputs.add([settings, weights, *shard.files])
        network, classes = load_segmenter(weights, pick_device(device))
        if classes != context.classes:
            raise UserError(f"{weights}: trained for {classes}, the data has {context.classes}")

        def predict(batch: list[Entry]) -> list[np.ndarray]:
            return _predict(network, [load_image(shard.folder, entry) for entry in batch], context.settings)

        in_halves = Halving(predict, "a smaller predictions.size")
        with write_shard(out, **context.shard_attributes) as writer, write_png_folder(png) as add_png:
            for entry, labels in in_slot_order(shard, in_halves, context.settings.batch_size):
                writer.add(entry.id, labels=labels)
                add_png(entry.id, labels)


def _predict(network: SegmenterNetwork, images: list[np.ndarray], settings: PredictionsSettings) -> list[np.ndarray]:
    height, width = images[0].shape[:2]
    most = round(settings.size * max(settings.scales))
    small = [resize_long_side(image, min(most, max(height, width))) for image in images]
    device = next(network.parameters()).device
    stack = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).to(device)
    factors = [settings.size * scale / max(height, width) for scale in settings.scales]
    sizes = [(max(32, round(height * factor)), max(32, round(width * factor))) for factor in factors]
    mixed = torch.autocast(device.type, torch.bfloat16, enabled=in_bfloat16(settings.precision, device.type))
    with mixed:
        found = probabilities(network, stack, sizes, settings.flip).cpu().numpy()
    return [enlarged_winner(planes, height, width) for planes in found]


def enlarged_winner(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8[height, width]: index of the largest of float32[C, h, w] planes enlarged bilinearly, class by class.

    Only the best so far is kept: all planes of a large photograph at once would take gigabytes.
    """
    best, winner = resize(planes[:1], height, width)[0], np.zeros((height, width), np.uint8)
    for label in range(1, len(planes)):
        plane = resize(planes[label : label + 1], height, width)[0]
        ahead = plane > best
        winner[ahead] = label
        best = np.maximum(best, plane)
    return winner
