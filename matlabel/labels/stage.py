"""The stage labels: reads the mattes of a shard (or its true masks), writes pseudo-labels."""

from pathlib import Path

import numpy as np

from matlabel.artifacts.context import load_context
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import VOID
from matlabel.artifacts.png_folder import write_png_folder
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.shard import open_shard, write_shard
from matlabel.dataset.manifest import load_shard
from matlabel.dataset.true_masks import TrueMasks
from matlabel.labels.label import pseudo_label
from matlabel.settings.labels import LabelsSettings


def run(
    settings: Path,
    dataset: Path,
    out: Path,
    mattes: Path | None = None,
    masks: Path | None = None,
    png: Path | None = None,
    code: str = "",
) -> None:
    """Make the labels of a shard.

    Args:
        settings: settings.yaml of the stage.
        dataset: the shard's CSV.
        out: the shard to write: per image `labels` uint8[H, W] (0..K, 255 void) and `margin` uint8[H, W].
        mattes: the shard of the stage mattes.
        masks: CSV of the true masks, for labels.source masks: the full-supervision reference.
        png: folder for the same labels as palette PNG.
        code: digest of the sources, for the provenance.

    Raises:
        UserError: the source that the settings name is not given; a true mask that is missing or does not fit.
    """
    context = load_context(settings, "labels", LabelsSettings)
    source = mattes if context.settings.source == "mattes" else masks
    if source is None:
        raise UserError(f"labels.source is {context.settings.source}, but there are no {context.settings.source}")
    with recorded([out], stage="labels", key=context.key, code=code) as inputs:
        shard = load_shard(dataset)
        inputs.add([settings, source, *shard.files])
        with write_shard(out, **context.shard_attributes) as writer, write_png_folder(png) as add_png:
            if context.settings.source == "mattes":
                with open_shard(source, "mattes") as found:
                    for entry in shard.entries:
                        arrays = found[entry.id]
                        labels, margin = pseudo_label(arrays["alphas"], arrays["classes"], context.settings)
                        writer.add(entry.id, labels=labels, margin=margin)
                        add_png(entry.id, labels)
                return
            truth = TrueMasks(source, len(context.classes), inputs)
            for entry in shard.entries:
                if entry.id not in truth:
                    raise UserError(f"labels.source is masks, but {entry.id} has no mask that can be used in masks/")
                labels = truth.read(entry.id, shard.sizes[entry.id])
                writer.add(entry.id, labels=labels, margin=np.where(labels == VOID, 0, 255).astype(np.uint8))
                add_png(entry.id, labels)
