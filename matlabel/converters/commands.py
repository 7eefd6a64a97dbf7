"""The commands `matlabel convert …`: each parses, calls and prints; imports only what the command needs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from matlabel.artifacts.errors import UserError

FILE = {"exists": True, "dir_okay": False}
FOLDER = {"exists": True, "file_okay": False}

convert = typer.Typer(
    help="Convert what other projects leave. Their pickles are read, and never run.", no_args_is_help=True
)


@convert.command()
def irn(
    folder: Annotated[Path, typer.Argument(help="Folder of <id>.npy, a dictionary of maps each.", **FOLDER)],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the maps to write, <id>.npz.")],
    data: Annotated[
        Path | None, typer.Option(help="The data folder: keys are held against its tags.", **FOLDER)
    ] = None,
    first: Annotated[int, typer.Option(min=0, max=1, help="The key of the first class.")] = 0,
    array: Annotated[
        Literal["high_res", "cam"] | None, typer.Option(help="Which maps; without: high_res if it is there, else cam.")
    ] = None,
) -> None:
    """Maps of IRN, AdvCAM, SEAM and their like to those that activations.source: files:<folder> reads."""
    from matlabel.converters.irn_folder import convert_folder

    def progress(files: list[Path]):
        with typer.progressbar(files, label="converting", file=typer.get_text_stream("stderr")) as bar:
            yield from bar

    found = convert_folder(folder, out, data, first, array, progress)
    typer.echo(
        f"{out}: {len(found.written)} written, {len(found.kept)} there already, {len(found.empty)} without a class"
    )
    for note in found.notes:
        typer.echo(note)
    if data is None:
        typer.echo(f"key {first} is taken for the first class; --data holds the keys against tags")
    if found.problems:
        raise UserError("\n".join([f"{folder}: {len(found.problems)} files not converted", *found.problems.lines()]))
    if not found.written and not found.kept:
        raise UserError(f"{folder}: no file holds a map")


@convert.command(name="cls-labels")
def cls_labels(
    file: Annotated[Path, typer.Argument(help="cls_labels.npy.", **FILE)],
    classes: Annotated[Path, typer.Option(help="classes.txt of the data folder, in the order of the labels.", **FILE)],
    out: Annotated[Path, typer.Option("-o", "--out", help="The labels.csv to write.")],
    images: Annotated[
        Path | None, typer.Option(help="Folder of the photographs; without: images/ beside classes.txt.", **FOLDER)
    ] = None,
    lists: Annotated[
        list[Path] | None,
        typer.Option("--list", help="Images of a split, named as the file is (train.txt); several times.", **FILE),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Split of all images, or of the one list. [train]")] = None,
) -> None:
    """cls_labels.npy, image-level labels of IRN and its like, to labels.csv."""
    from matlabel.converters.labels_file import convert_labels

    for line in convert_labels(file, classes, out, images, lists or [], split):
        typer.echo(line)
