"""How long a run takes on a cluster, and what bounds it: a simulation fed with the times of a real run.

    python benchmarks/cluster_model.py results/runs/default/seed-0 --speedup 20
    python benchmarks/cluster_model.py results/runs/default/seed-0 --images 320 --gpus 2 --cores 0 --shard-size 64

Seconds and bytes an image of each stage are those of the run's provenance files, of one core or, for networks on a GPU,
`--speedup` times less. Start-up, latency, bandwidth and the loss by each doubling of a training's GPUs are what you
say. Jobs are placed first come, first served, as soon as what they read is there and a GPU or core is free.
"""

from pathlib import Path
from typing import Annotated

import typer
from cluster_simulation import Machine, Rate, rates_of, simulate
from measure import table

VOC, COCO, LARGE = 10_582, 82_081, 10_000_000


def main(
    run: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="results/runs/<variant>/seed-<n>.")],
    images: Annotated[list[int], typer.Option(min=1)] = [VOC, COCO, LARGE],  # noqa: B006
    gpus: Annotated[list[int], typer.Option(min=1)] = [1, 8, 64],  # noqa: B006
    shard_size: Annotated[list[int], typer.Option(min=1)] = [256, 1024, 4096],  # noqa: B006
    cores: Annotated[int, typer.Option(min=0, help="For each GPU; 0: what needs none takes a GPU's place.")] = 8,
    speedup: Annotated[float, typer.Option(min=0.01, help="How many times faster a GPU is than in the run.")] = 1.0,
    devices: Annotated[int, typer.Option(min=1, help="Most GPUs of one training.")] = 8,
    doubling: Annotated[float, typer.Option(min=1, max=2, help="Gain of a training by twice the GPUs.")] = 1.8,
    start: Annotated[float, typer.Option(min=0, help="Seconds of a job's start: imports, CUDA, weights.")] = 20.0,
    latency: Annotated[float, typer.Option(min=0, help="Seconds from submission to start.")] = 10.0,
    bandwidth: Annotated[float, typer.Option(min=1, help="Of the shared file system, MB/s.")] = 1000.0,
    kilobytes: Annotated[float, typer.Option(min=0, help="Of a photograph.")] = 110.0,
) -> None:
    """Print the tables."""
    rates = rates_of(run, kilobytes)
    print(table(["stage", "s an image", "kB an image read and written"], [_row(rate) for rate in rates]), "\n")
    rows = []
    for count in images:
        for size in shard_size:
            for number in gpus:
                machine = Machine(number, cores, speedup, devices, doubling, start, latency, bandwidth * 1e6)
                done = simulate(rates, count, size, machine)
                rows.append(
                    [
                        f"{count:,}",
                        f"{size:,}",
                        number,
                        f"{done.wall / 3600:.2f}",
                        f"{done.gpu_seconds / 3600:.2f}",
                        f"{100 * done.overhead / max(done.busy, 1e-9):.0f} %",
                        done.longest,
                    ]
                )
    head = ["images", "shard", "GPUs", "wall, h", "GPU hours", "of all job time: start and wait", "longest stage"]
    print(table(head, rows))


def _row(rate: Rate) -> list[object]:
    return [rate.stage, f"{rate.seconds:.4f}", f"{rate.kilobytes:.0f}"]


if __name__ == "__main__":
    typer.run(main)
