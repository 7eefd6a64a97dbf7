"""The stage activations of a second round: runs another variant's segmenter on a shard of photographs."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from matlabel.activations.second_round import second_round
from matlabel.activations.stored import stored
from matlabel.artifacts.context import load_context
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.shard import write_shard
from matlabel.dataset.batches import in_slot_order
from matlabel.dataset.images import load_image, resize_long_side
from matlabel.dataset.manifest import Entry, load_shard, tag_indices
from matlabel.devices import Halving, in_bfloat16, pick_device
from matlabel.networks.segmenter import SegmenterNetwork, load_segmenter
from matlabel.settings.activations import ActivationsSettings


def run(settings: Path, dataset: Path, segmenter: Path, out: Path, device: str = "auto", code: str = "") -> None:
    """Read the activations of a shard.

    Args:
        settings: settings.yaml of the stage.
        dataset: the shard's CSV.
        segmenter: model.safetensors of the stage segmenter, of another variant.
        out: the shard to write, as from a classifier (`activations/stored.py`), without `unspread`.
        device: auto, cpu, cuda or mps.
        code: digest of the sources, for the provenance.

    Raises:
        UserError: the settings name another source, or the segmenter was trained for other classes.
    """
    context = load_context(settings, "activations", ActivationsSettings)
    context.settings.expect("segmenter", settings)
    torch.set_num_threads(context.settings.threads)
    with recorded([out], stage="activations", key=context.key, code=code) as inputs:
        shard = load_shard(dataset)
        inputs.add([settings, segmenter, *shard.files])
        network, classes = load_segmenter(segmenter, pick_device(device))
        if classes != context.classes:
            raise UserError(f"{segmenter}: trained for {classes}, the data has {context.classes}")

        def read(batch: list[Entry]) -> list[Tensor]:
            labels = [tag_indices(entry, classes) for entry in batch]
            return _read([load_image(shard.folder, entry) for entry in batch], labels, network, context.settings)

        in_halves = Halving(read, "a smaller activations.size")
        with write_shard(out, **context.shard_attributes) as writer:
            for entry, probabilities in in_slot_order(shard, in_halves, context.settings.batch_size):
                writer.add(entry.id, **stored(tag_indices(entry, classes), probabilities.cpu().numpy()))


def _read(
    images: list[np.ndarray], labels: list[list[int]], network: SegmenterNetwork, settings: ActivationsSettings
) -> list[Tensor]:
    height, width = images[0].shape[:2]
    # A picture larger than the largest view is brought down before it goes to the device.
    most = min(round(settings.size * max(settings.scales)), max(height, width))
    device = next(network.parameters()).device
    stack = torch.from_numpy(np.stack([resize_long_side(image, most) for image in images])).permute(0, 3, 1, 2)
    mixed = torch.autocast(device.type, torch.bfloat16, enabled=in_bfloat16(settings.precision, device.type))
    with mixed:
        return second_round(stack.to(device), labels, (height, width), network, settings)
