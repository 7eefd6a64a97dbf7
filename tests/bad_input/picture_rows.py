"""Rows on `matlabel matte` and on corrections."""

import os
from pathlib import Path

import numpy as np
from PIL import Image
from rows import Row, config

MATTE = ("matte", "photo.png", "trimap.png", "-o", "alpha.png")


def trimap(values, mode: str = "L"):
    """The trimap holds these values, from left to right."""

    def spoil(folder: Path) -> None:
        columns = np.asarray(values, np.uint8)[np.arange(40) * len(values) // 40]
        Image.fromarray(np.tile(columns[None, ..., None], (32, 1, 1)).squeeze(-1)).convert(mode).save(
            folder / "trimap.png"
        )

    return spoil


def coloured(colour):
    return lambda folder: Image.new("RGBA" if len(colour) == 4 else "RGB", (40, 32), colour).save(folder / "trimap.png")


def grey_palette(folder: Path) -> None:
    with Image.open(folder / "trimap.png") as image:
        indices = np.asarray(image) // 127
    image = Image.fromarray(2 - indices.astype(np.uint8)).convert("P")
    image.putpalette(bytes([255] * 3 + [128] * 3 + [0] * 3))
    image.save(folder / "trimap.png")


def flattened(folder: Path) -> None:
    path = folder / "corrections/a00.png"
    with Image.open(path) as image:
        image.convert("RGB").save(path)


def correction(name: str, *strokes, size=(48, 40), alpha=255):
    """A layer with squares of these colours from left to right, drawn for image a00, which is tagged cat."""

    def spoil(folder: Path) -> None:
        config(trimaps={"corrections": "corrections"})(folder)
        (folder / "corrections").mkdir()
        layer = np.zeros((size[1], size[0], 4), np.uint8)
        for place, colour in enumerate(strokes):
            layer[10:20, 2 + 12 * place : 12 + 12 * place] = (*colour, alpha)
        Image.fromarray(layer).save(folder / "corrections" / name)

    return spoil


CAT, DOG = (128, 0, 0), (0, 128, 0)
ROWS = (
    Row("a trimap that holds 0, 1 and 2", trimap([0, 1, 2]), MATTE),
    Row("a trimap that holds 1, 2 and 3", trimap([1, 2, 3]), MATTE),
    Row("a trimap that holds 0, 1 and 255", trimap([0, 1, 255]), MATTE),
    Row("a trimap without sure background", trimap([128, 255]), MATTE),
    Row("a trimap in colour", coloured((255, 0, 0)), MATTE),
    Row("a trimap that is transparent", coloured((0, 0, 0, 90)), MATTE),
    Row("a trimap as palette of greys, white first", grey_palette, MATTE),
    Row("a trimap of another size", lambda f: Image.new("L", (41, 32)).save(f / "trimap.png"), MATTE),
    Row("a trimap that is no picture", lambda f: (f / "trimap.png").write_bytes(b"?"), MATTE),
    Row("a pipe in place of the trimap", lambda f: ((f / "trimap.png").unlink(), os.mkfifo(f / "trimap.png")), MATTE),
    Row("`matte` onto its own input", lambda f: None, (*MATTE[:3], "-o", "photo.png")),
    Row("`matte` onto a folder", lambda f: (f / "alpha.png").mkdir(), MATTE),
    Row("`matte` on a device that is none", lambda f: None, (*MATTE, "--device", "gpu7")),
    Row("`matte` onto a JPEG", lambda f: None, (*MATTE[:3], "-o", "alpha.jpg")),
    Row("a photograph over `--max-pixels`", lambda f: None, (*MATTE, "--max-pixels", "1000")),
    Row("a correction of another size", correction("a00.png", CAT, size=(40, 48))),
    Row("a correction in the colour of a class that is not tagged", correction("a00.png", CAT, DOG)),
    Row("a correction in a colour of no class", correction("a00.png", (255, 0, 255))),
    Row("a correction that is hardly opaque", correction("a00.png", CAT, alpha=90)),
    Row("a correction without transparency", lambda f: (correction("a00.png", CAT)(f), flattened(f))),
    Row("a correction of no image", correction("b00.png", CAT)),
    Row("a correction without the leading zero of its image", correction("a0.png", CAT)),
    Row("a correction that is no PNG", correction("a00.tif", CAT)),
    Row("no such folder of corrections", config(trimaps={"corrections": "nowhere"})),
)
