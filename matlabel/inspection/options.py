"""Snakemake's options that identify a run (Snakefile, folder, config), parsed as Snakemake does."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

FILE: dict[str, Any] = {"exists": True, "dir_okay": False}
FOLDER: dict[str, Any] = {"exists": True, "file_okay": False}

_MANY = ("--configfile", "--configfiles", "--config", "-C", "--also")

ConfigFiles = Annotated[
    list[Path],
    typer.Option(
        "--configfile",
        "--configfiles",
        help="As for snakemake: one or several, later ones over earlier ones. Without: config.yaml by the Snakefile.",
        default_factory=list,
        **FILE,
    ),
]
ConfigValues = Annotated[
    list[str], typer.Option("--config", "-C", help="As for snakemake: key=value, on top.", default_factory=list)
]
Snakefile = Annotated[
    Path | None, typer.Option("--snakefile", "-s", help="Without: the one here, or matlabel's own.", **FILE)
]
Directory = Annotated[Path, typer.Option("--directory", "-d", help="The folder that Snakemake runs in.", **FOLDER)]


class ManyValues(TyperCommand):
    """A command whose config options take several values after one name, as Snakemake's do."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Name the option before each of its values, which is how click reads several."""
        spread: list[str] = []
        option, named = "", False
        for word in args:
            if word.startswith("-"):
                option, named = (word, True) if word in _MANY else ("", False)
                spread.append(word)
            else:
                spread += [word] if named or not option else [option, word]
                named = False
        return super().parse_args(ctx, spread)
