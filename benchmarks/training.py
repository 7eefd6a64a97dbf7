"""What the terms of D2CAM cost: milliseconds an image of a training step, against the plain CAM in the same run.

    python benchmarks/training.py --backbone resnet50 --precision bf16-mixed
    python benchmarks/training.py --images my-photographs/images --device cuda --batch 32 --crop 448 --frozen-stages 0

The weights are random and nothing is downloaded. Plain and with each term alone, with the four of the default and with
all four they take turns of a few steps after the warm-up. Loading is what decoding and cropping an image takes besides.
"""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch
import typer
from measure import table
from training_inputs import generated, loading, photographs, pictures
from training_steps import SETUPS, Training, compare

from matlabel.devices import pick_device
from matlabel.settings.cam import CamSettings


class Precision(StrEnum):
    """As in cam.precision."""

    full = "32-true"
    mixed = "bf16-mixed"


def main(
    backbone: Annotated[str, typer.Option(help="As in cam.backbone.")] = "resnet50",
    crop: int = 256,
    batch: int = 16,
    precision: Precision = Precision.mixed,
    frozen_stages: int = 3,
    teacher_scale: Annotated[float | None, typer.Option(help="cam.teacher_scale; not given: its default.")] = None,
    device: str = "auto",
    threads: int = 2,
    classes: int = 6,
    images: Annotated[Path | None, typer.Option(exists=True, file_okay=False, help="Else generated ones.")] = None,
    only: Annotated[list[str], typer.Option(help="Beside plain, these rows alone.")] = [],  # noqa: B006
    steps: Annotated[int, typer.Option(min=1, help="Of each in a turn.")] = 2,
    repeats: Annotated[int, typer.Option(min=1, help="Turns of which the median counts.")] = 7,
) -> None:
    """Print the table."""
    unknown = set(only) - SETUPS.keys()
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: not one of {', '.join(SETUPS)}", param_hint="--only")
    scale = {} if teacher_scale is None else {"teacher_scale": teacher_scale}
    settings = CamSettings(
        backbone=backbone,
        weights="none",
        norm="frozen",
        crop=crop,
        resize=(crop, crop * 3 // 2),
        batch_size=batch,
        precision=precision.value,
        frozen_stages=frozen_stages,
        threads=threads,
        # Steps cost what they cost, but random weights stay where they are.
        lr=1e-9,
        **scale,
    )
    device = pick_device(device)
    with tempfile.TemporaryDirectory() as folder:
        shard = photographs(images or generated(Path(folder), batch), classes)
        inputs = pictures(shard, classes, settings)
        load = loading(inputs, repeats)
    trainings = {
        name: Training.of(settings, weights, inputs.batch, device)
        for name, weights in SETUPS.items()
        if not only or name in {"plain", *only}
    }
    name = torch.cuda.get_device_name() if device == "cuda" else f"{device}, {threads} threads"
    print(f"{backbone}, {frozen_stages} frozen stages, batches of {batch} at {crop} px, {precision}, {name}")
    print(f"loading: {load:.1f} ms an image ({'generated' if images is None else images.name})\n")
    print(table(*compare(trainings, steps, repeats, load)))


if __name__ == "__main__":
    typer.run(main)
