"""Matting measured: accuracy, speed, growth, the GPU, and whether it helps. Each command prints its tables.

    python benchmarks/matting.py accuracy ALPHAMATTING
    python benchmarks/matting.py speed results/runs/default/seed-0
    python benchmarks/matting.py growth results/runs/default/seed-0 --plot growth.png
    python benchmarks/matting.py gpu results/runs/default/seed-0 --device cuda
    python benchmarks/matting.py gain results/runs/default/seed-0 MASKS

ALPHAMATTING holds images/, trimaps/ and alphas/ of alphamatting.com's training set; the runs are the workflow's own.
"""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False)]
Workers = Annotated[int, typer.Option(min=1, help="Processes.")]
Repeats = Annotated[int, typer.Option(min=1, help="Turns of which the median counts.")]
Images = Annotated[int, typer.Option(min=1, help="Photographs (of each number of classes).")]


@app.command()
def accuracy(alphamatting: Folder, workers: Workers = 1) -> None:
    """MSE and SAD over the unknown region, ours at scale 1, 2 and 4 against pymatting's four methods."""
    import matting_accuracy

    print(matting_accuracy.run(alphamatting, workers))


@app.command()
def speed(run: Folder, images: Images = 16, workers: Workers = 2, repeats: Repeats = 5) -> None:
    """Seconds an image, one to three classes, against pymatting and scikit-image; then on several processes."""
    import matting_speed

    print(matting_speed.one_core(run, images, repeats), end="\n\n")
    print(matting_speed.all_cores(run, workers, repeats))


@app.command()
def growth(
    run: Folder,
    plot: Path = Path("growth.png"),
    images: Images = 3,
    repeats: Repeats = 5,
    most: Annotated[float, typer.Option(help="Megapixels of the largest image.")] = 12,
) -> None:
    """Time against pixels and against the share of them that is unknown."""
    import matting_growth

    print(matting_growth.run(run, images, repeats, plot, most))


@app.command()
def gpu(
    run: Folder,
    device: str = "cuda",
    images: Images = 32,
    batch: list[int] = [1, 8, 32, 128],  # noqa: B006
    scale: list[int] = [4, 1],  # noqa: B006
    repeats: Repeats = 5,
    compiled: bool = False,
) -> None:
    """Images a second of the batched solver, the share of the memory's bandwidth, labels that differ."""
    import matting_gpu

    print(matting_gpu.run(run, device, images, batch, scale, repeats, compiled))


@app.command()
def gain(
    run: Folder,
    masks: Folder,
    images: Annotated[int | None, typer.Option(help="Only so many.")] = None,
    workers: Workers = 1,
    prior: Annotated[list[float], typer.Option(help="Also closed_form with this mattes.prior.")] = [0.0],  # noqa: B006
) -> None:
    """Labels of none, random_walk, crf and closed_form against true masks, and which kind of image gains."""
    import matting_gain

    print(matting_gain.run(run, masks, images, workers, prior))


if __name__ == "__main__":
    app()
