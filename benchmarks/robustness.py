"""Do the defaults hold on everybody's photographs? Labels by default and of the plain CAM, by data set and size.

    MATLABEL_SETS=folder-of-data-sets MATLABEL_WEIGHTS=folder-of-weights python benchmarks/robustness.py --quick
    python benchmarks/robustness.py --csv docs/robustness.csv

MATLABEL_SETS holds data sets in the folder format by name (see robustness_cells.py; those that are missing are left
out, aloud), MATLABEL_WEIGHTS state dicts of the backbones, resnet18*.pt or resnet18*.pt.xz (or by --backbone's name).
Each row is one training and what follows, up to the scores of its labels; a row that stands in the CSV is not run
again.

`plain` is the classifier without terms and pasting, its maps read and spread, with the same trimaps and matting. The
rows under "made to fail" have to be warned of, the others must not be.
"""

import csv
import json
import lzma
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from robustness_cells import CELLS, FAILING, QUICK, SMALL, Cell, build, data_folder
from robustness_tables import table_text

HERE = Path(__file__).resolve().parent


def start(backbone: str, weights: Path, folder: Path) -> Path:
    """A backbone's state dict, unpacked if need be."""
    found = sorted(weights.glob(f"{backbone}*.pt")) + sorted(weights.glob(f"{backbone}*.pt.xz"))
    if not found:
        raise typer.BadParameter(f"{weights}: no {backbone}*.pt or {backbone}*.pt.xz in it")
    if found[0].suffix == ".pt":
        return found[0].resolve()
    target = folder / f"{backbone}.pt"
    if not target.exists():
        target.write_bytes(lzma.decompress(found[0].read_bytes()))
    return target


def rows(quick: bool, only: list[str], seeds: int, backbone: str = SMALL) -> list[tuple[Cell, str, int]]:
    """(cell, variant, seed) of what is to be run; `backbone` takes the ResNet-18's place."""
    cells = [cell for cell in [*CELLS, *FAILING] if not only or cell.name in only]
    cells = [cell for cell in cells if not quick or cell.name in QUICK]
    # The demo's is its own config's.
    cells = [replace(cell, backbone=backbone) if cell.source and cell.backbone == SMALL else cell for cell in cells]
    most = 1 if quick else seeds
    return [
        (cell, variant, seed) for cell in cells for seed in range(min(cell.seeds, most)) for variant in cell.variants
    ]


def main(
    out: Annotated[Path, typer.Option("--csv", help="The rows; those that stand there already are kept.")] = Path(
        "robustness.csv"
    ),
    quick: Annotated[bool, typer.Option(help="One seed, two cells and one that must be warned of.")] = False,
    only: Annotated[list[str], typer.Option(help="Only these cells.")] = [],  # noqa: B006
    backbone: Annotated[str, typer.Option(help="In place of the ResNet-18.")] = SMALL,
    seeds: Annotated[int, typer.Option(min=1, help="At most so many random seeds of a cell.")] = 3,
    jobs: Annotated[int, typer.Option(min=1, help="Rows side by side.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Of each.")] = 2,
    device: str = "auto",
    folder: Annotated[Path | None, typer.Option(help="Where the runs are kept; else deleted at the end.")] = None,
    minutes: Annotated[float, typer.Option(help="No further row is begun after so long.")] = 1e9,
) -> None:
    """Run what is missing, then print the tables."""
    sets, weights = (Path(os.environ[name]) if name in os.environ else None for name in SETTINGS)
    if sets is None or weights is None:
        raise typer.BadParameter(f"set {' and '.join(SETTINGS)} (see the head of {Path(__file__).name})")
    with tempfile.TemporaryDirectory() as temporary:
        work = (folder or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        asked = rows(quick, only, seeds, backbone)
        todo = [row for row in asked if not row[0].source or (sets / row[0].source).is_dir()]
        missing = {cell.source for cell, *_ in asked} - {cell.source for cell, *_ in todo}
        if missing:
            print(f"left out: no {', '.join(sorted(missing))} in {sets}", file=sys.stderr)
        done = {(row["cell"], row["backbone"], row["variant"], int(row["seed"])) for row in read(out)}
        todo = [row for row in todo if (row[0].name, row[0].backbone, row[1], row[2]) not in done]
        backbones = {name: str(start(name, weights, work)) for name in sorted({cell.backbone for cell, *_ in todo})}
        options = {"weights": backbones, "sets": str(sets.resolve()), "device": device}
        options |= {"threads": threads, "work": str(work)}
        _run_all(todo, options, out, jobs, minutes)
    print(table_text(read(out)))


SETTINGS = ("MATLABEL_SETS", "MATLABEL_WEIGHTS")
COLUMNS = (
    "cell",
    "backbone",
    "variant",
    "seed",
    "images",
    "scored",
    "labels",
    "boundary",
    "winner",
    "seed_miou",
    "enforced",
    "cover",
    "mean_ap",
    "shuffled",
    "held_out_loss",
    "look_loss",
    "began",
    "held_back",
    "model",
    "warnings",
    "steps",
    "cam_seconds",
    "seconds",
    "device",
)


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV; none where there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _run_all(todo: list[tuple[Cell, str, int]], options: dict, out: Path, jobs: int, minutes: float) -> None:
    end, lock = time.monotonic() + 60 * minutes, threading.Lock()

    def one(row: tuple[Cell, str, int]) -> None:
        if time.monotonic() > end:
            return
        cell, variant, seed = row
        asked = json.dumps({**options, "cell": cell.name, "backbone": cell.backbone, "variant": variant, "seed": seed})
        command = [sys.executable, str(HERE / "robustness_row.py"), asked]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{cell.name}, {variant}, seed {seed}: failed\n{done.stderr[-2000:]}", file=sys.stderr, flush=True)
            return
        found = json.loads(done.stdout.splitlines()[-1])
        with lock, out.open("a", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            if not file.tell():
                writer.writeheader()
            writer.writerow(found)
        said = found.get("labels") or found["warnings"]
        print(
            f"{cell.name}, {cell.backbone}, {variant}, seed {seed}: {said}, {found.get('seconds')} s",
            file=sys.stderr,
            flush=True,
        )

    # Before anything runs side by side: rows share the data sets.
    for cell in {cell.name: cell for cell, *_ in todo if cell.source}.values():
        build(cell, Path(options["sets"]), data_folder(cell, Path(options["work"])))
    # Side by side, what takes longest begins first: no row is then waited for alone.
    ordered = sorted(todo, key=lambda row: -row[0].images[row[0].scored]) if jobs > 1 else todo
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, ordered))


if __name__ == "__main__":
    typer.run(main)
