"""The stage trimaps: reads the activations of a shard and users' corrections, writes label trimaps."""

from pathlib import Path

import numpy as np

from matlabel.artifacts.context import load_context
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import UNKNOWN
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.shard import open_shard, write_shard
from matlabel.dataset.images import load_image
from matlabel.dataset.manifest import load_shard, read_files
from matlabel.pixels.resample import resize
from matlabel.settings.trimaps import TrimapsSettings
from matlabel.trimaps.corrections import read_correction
from matlabel.trimaps.strokes import correct
from matlabel.trimaps.trimap import label_trimap


def run(
    settings: Path, dataset: Path, activations: Path, out: Path, corrections: Path | None = None, code: str = ""
) -> None:
    """Make the trimaps of a shard.

    Args:
        settings: settings.yaml of the stage.
        dataset: the shard's CSV.
        activations: the shard of the stage activations.
        out: the shard to write: per image `trimap` uint8[H, W] (0 background, 1..K sure class, 255 unknown) and
            `enforced` uint8[n], label values whose sure region had to be enforced; where a person has drawn, `prior`
            uint8[C + 1, h, w], the activations' probabilities as the strokes have corrected them.
        corrections: CSV of the corrections drawn for images of this shard.
        code: digest of the sources, for the provenance.

    Raises:
        UserError: a correction that does not fit its image, or leaves nothing sure.
    """
    context = load_context(settings, "trimaps", TrimapsSettings)
    with recorded([out], stage="trimaps", key=context.key, code=code) as inputs:
        shard = load_shard(dataset)
        inputs.add([settings, activations, *shard.files])
        drawn = read_files(corrections)
        if corrections is not None:
            inputs.add(corrections)
            inputs.files.update({str(path): digest for path, digest in drawn.values()})
        problems = []
        with open_shard(activations, "activations") as source, write_shard(out, **context.shard_attributes) as writer:
            for entry in shard.entries:
                found = source[entry.id]
                classes, size = found["classes"], shard.sizes[entry.id]
                planes, strokes, corrected = found["probabilities"], None, {}
                if entry.id in drawn:
                    path, digest = drawn[entry.id]
                    try:
                        strokes = read_correction(path, size, classes.tolist(), context.classes, digest)
                    except UserError as error:
                        problems.append(str(error))
                        continue
                    photograph = load_image(shard.folder, entry)
                    corrected["prior"] = planes = correct(planes, photograph, strokes, classes)
                probabilities = resize(planes.astype(np.float32) / 255, *size)
                trimap, enforced = label_trimap(probabilities, classes, context.settings, strokes)
                if (trimap == UNKNOWN).all():
                    problems.append(f"{path}: leaves nothing sure; draw what is, too")
                    continue
                writer.add(entry.id, trimap=trimap, enforced=np.array(enforced, np.uint8), **corrected)
            if problems:
                raise UserError("\n".join(problems))
