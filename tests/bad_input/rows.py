"""What a row of docs/bad-input.md is made from, and the sound folder that each one spoils."""

import copy
import os
import sys
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
import yaml
from animals import write_folder
from PIL import Image

from matlabel import cli

CONFIG = {
    "dataset": {"format": "folder", "path": "animals"},
    "cam": {"backbone": "resnet18", "weights": "none"},
    "segmenter": {"encoder": "resnet18", "weights": "cam"},
    "evaluation": {"splits": ["val"]},
}
ROWS = {f"a{number:02d}": ("train", ("cat", "dog", "cat;dog", "cat", "dog")[number % 5]) for number in range(20)}
ROWS |= {"v0": ("val", "cat"), "v1": ("val", "dog")}
VALIDATE = ("validate", "config.yaml")
_MOST = 330


@dataclass(frozen=True)
class Row:
    """A kind of bad input.

    Attributes:
        input: what is wrong, for the table.
        spoil: spoils a sound folder: `animals`, `config.yaml`, `photo.png`, `trimap.png`.
        command: words of `matlabel`.
    """

    input: str
    spoil: Callable[[Path], None]
    command: tuple[str, ...] = VALIDATE


def sound(folder: Path) -> None:
    """Write what a row starts from; every command of the table accepts it."""
    write_folder(folder / "animals", ROWS)
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    photo = np.full((32, 40, 3), 60, np.uint8)
    photo[:, 20:] = 200
    Image.fromarray(photo).save(folder / "photo.png")
    trimap = np.full((32, 40), 128, np.uint8)
    trimap[:, :12], trimap[:, 28:] = 0, 255
    Image.fromarray(trimap).save(folder / "trimap.png")


def config(**blocks: dict) -> Callable[[Path], None]:
    """Spoils the config: block=dict of keys, over those that are there."""

    def spoil(folder: Path) -> None:
        changed = copy.deepcopy(CONFIG)
        for name, keys in blocks.items():
            changed[name] = {**changed.get(name, {}), **keys} if isinstance(keys, dict) else keys
        (folder / "config.yaml").write_text(yaml.safe_dump(changed))

    return spoil


def ran(row: Row, folder: Path) -> tuple[int, str]:
    """Exit code and everything printed of a row's command, as its user sees it."""
    sound(folder)
    out = StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(out):
        row.spoil(folder)
        with patch.object(sys, "argv", ["matlabel", *row.command]):
            try:
                cli.main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
    return code, out.getvalue()


def message(printed: str) -> str:
    """What is printed as a cell of a table: without what says that all is well, and cut."""
    lines = [line.strip() for line in printed.replace(f"{os.sep}private", "").splitlines()]
    lines = [line.removeprefix("matlabel: ") for line in lines if line and not line.startswith("default, seed 0:")]
    lines = [line for line in lines if ": valid." not in line]
    text = " / ".join(lines)
    return (text[:_MOST] + "…" if len(text) > _MOST else text).replace("|", "\\|")
