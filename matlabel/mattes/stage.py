"""The stage mattes: reads a shard of photographs and trimaps, writes the alphas of all labels."""

from pathlib import Path

import numpy as np

from matlabel.artifacts.context import load_context
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.quantise import quantise
from matlabel.artifacts.shard import open_shard, write_shard
from matlabel.dataset.images import load_image
from matlabel.dataset.manifest import load_shard
from matlabel.mattes.activations import enlarge_activations
from matlabel.mattes.closed_form import closed_form
from matlabel.settings.mattes import MattesSettings


def run(
    settings: Path, dataset: Path, activations: Path, out: Path, trimaps: Path | None = None, code: str = ""
) -> None:
    """Make the mattes of a shard.

    Args:
        settings: settings.yaml of the stage.
        dataset: the shard's CSV.
        activations: the shard of the stage activations (its classes; with method `none` all there is).
        out: the shard to write: per image `classes` uint8[C] and `alphas` uint8[C + 1, H, W], background first, that
            sum to 255 at every pixel.
        trimaps: the shard of the stage trimaps; not read by method `none`.
        code: digest of the sources, for the provenance.

    Raises:
        UserError: trimaps are missing, or of another size than the image.
    """
    context = load_context(settings, "mattes", MattesSettings)
    method = context.settings.method
    if method != "none" and trimaps is None:
        raise UserError(f"mattes.method {method} needs --trimaps")
    with recorded([out], stage="mattes", key=context.key, code=code) as inputs:
        shard = load_shard(dataset)
        inputs.add([settings, activations, *shard.files])
        with open_shard(activations, "activations") as source, write_shard(out, **context.shard_attributes) as writer:
            if method == "none":
                for entry in shard.entries:
                    found = source[entry.id]
                    alphas = enlarge_activations(found["probabilities"], *shard.sizes[entry.id])
                    writer.add(entry.id, classes=found["classes"], alphas=quantise(alphas))
                return
            inputs.add(trimaps)
            with open_shard(trimaps, "trimaps") as guides:
                for entry in shard.entries:
                    image, trimap = load_image(shard.folder, entry), guides[entry.id]["trimap"]
                    if image.shape[:2] != trimap.shape:
                        raise UserError(f"{trimaps}: the trimap of {entry.id} is not of its image's size; run again")
                    classes = source.read(entry.id, "classes")
                    alphas = solve(image, trimap, classes, context.settings)
                    writer.add(entry.id, classes=classes, alphas=quantise(alphas))


def solve(image: np.ndarray, trimap: np.ndarray, classes: np.ndarray, settings: MattesSettings) -> np.ndarray:
    """Alphas float[C + 1, H, W] of one image by the method of the settings."""
    return closed_form(
        image, trimap, classes.tolist(), scale=settings.scale, epsilon=settings.epsilon, radius=settings.radius
    )
