"""The options that commands of stages share: files that must be there, files to write, where and how to run."""

from pathlib import Path
from typing import Annotated

import typer

from matlabel.inspection.options import FILE, FOLDER

Settings = Annotated[Path, typer.Option(help="settings.yaml of the artifact folder.", **FILE)]
Dataset = Annotated[Path, typer.Option(help="CSV of a shard, or a list (.txt) of them.", **FILE)]
Results = Annotated[Path, typer.Option(help="The results folder.", **FOLDER)]
Out = Annotated[Path, typer.Option(help="The file to write.")]
Png = Annotated[Path | None, typer.Option(help="Folder for palette PNGs of the same.")]
Weights = Annotated[Path, typer.Option(help="Weights that the stage segmenter has trained.", **FILE)]
Classifier = Annotated[Path | None, typer.Option(help="Weights that the stage cam has trained.", **FILE)]
Shard = Annotated[Path, typer.Option(help="Shard (.h5) of that stage.", **FILE)]
MaybeShard = Annotated[Path | None, typer.Option(help="Shard (.h5) of that stage.", **FILE)]
Folder = Annotated[Path, typer.Option(help="Folder of that stage's artifacts.", **FOLDER)]
MaybeFolder = Annotated[Path | None, typer.Option(help="Folder of that stage's artifacts.", **FOLDER)]
MaybeFile = Annotated[Path | None, typer.Option(help="CSV, or list (.txt) of CSVs.", **FILE)]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Workers = Annotated[
    int,
    typer.Option(
        help="Loading processes; -1: none on the CPU, 8 on a GPU.", callback=lambda count: None if count < 0 else count
    ),
]
Code = Annotated[
    str, typer.Option(help="Digest of the sources, for the provenance; a checkpoint of other code is not resumed.")
]
