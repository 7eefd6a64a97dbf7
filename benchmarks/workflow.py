"""The workflow measured: what it takes beside the stages' own work, and on disk. Each command prints its tables.

    python benchmarks/workflow.py overhead --images 1000 --images 10000 --images 100000
    python benchmarks/workflow.py disk results/runs/default/seed-0
    python benchmarks/workflow.py quantisation results/runs/default/seed-0 MASKS

`overhead` makes its own images and replaces the stages by a program that only leaves the files it is asked for; the
runs are the workflow's own, MASKS holds true masks, <id>.png.
"""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False)]


@app.command()
def overhead(
    images: Annotated[list[int], typer.Option(min=10, help="Numbers of images.")] = [1000, 10_000, 100_000],  # noqa: B006
    shard_size: Annotated[int | None, typer.Option(min=1, help="dataset.shard_size; not given: its default.")] = None,
    kilobytes: Annotated[int, typer.Option(min=1, help="Size of an image file.")] = 100,
    starts: Annotated[bool, typer.Option(help="Also what the stages' processes import.")] = True,
) -> None:
    """CPU seconds of planning, of a run with nothing to do and of a job, and their share of an hour."""
    import workflow_overhead

    print(workflow_overhead.run(images, shard_size, kilobytes, starts))


@app.command()
def disk(run: Folder) -> None:
    """Kilobytes an image of each stage, against the float32 dictionaries of older code."""
    import workflow_disk

    print(workflow_disk.run(run))


@app.command()
def quantisation(
    run: Folder,
    masks: Folder,
    images: Annotated[int, typer.Option(min=1, help="Photographs with masks.")] = 40,
    device: str = "cpu",
) -> None:
    """mIoU of activations stored as bytes against float32, read again from the run's classifier."""
    import workflow_quantisation

    print(workflow_quantisation.run(run, masks, images, device))


if __name__ == "__main__":
    app()
