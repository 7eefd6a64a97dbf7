"""Rows on the data folder: photographs, tables, masks, tags."""

import os
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from rows import Row, config

from matlabel.artifacts.label_image import read_label_image, voc_palette, write_label_image


def replaced(name: str, data: bytes):
    """The file holds these bytes."""
    return lambda folder: (folder / name).write_bytes(data)


def table(old: str, new: str):
    """labels.csv, or of another encoding, with something replaced everywhere."""

    def spoil(folder: Path) -> None:
        path = folder / "animals/labels.csv"
        path.write_text(path.read_text().replace(old, new))

    return spoil


def lines(tags, more: str = ""):
    """Other tags of the training images, from those that they have; perhaps with another class. Without masks."""

    def spoil(folder: Path) -> None:
        path = folder / "animals/labels.csv"
        header, *rows = [line.split(",") for line in path.read_text().splitlines()]
        rows = [[image, split, tags(found) if split == "train" else found] for image, split, found in rows]
        path.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n")
        shutil.rmtree(folder / "animals/masks")
        with (folder / "animals/classes.txt").open("a") as file:
            file.write(f"{more}\n")

    return spoil


def encoded(encoding: str):
    def spoil(folder: Path) -> None:
        path = folder / "animals/labels.csv"
        path.write_bytes(path.read_text().replace("a00", "aé").encode(encoding))
        (folder / "animals/images/a00.png").rename(folder / "animals/images/aé.png")

    return spoil


def photograph(image: Image.Image, form: str = "PNG", **options):
    return lambda folder: image.save(folder / "animals/images/a00.png", form, **options)


def masks(function, names: str = "*.png"):
    """Every mask, or some, with other values."""

    def spoil(folder: Path) -> None:
        for path in (folder / "animals/masks").glob(names):
            write_label_image(path, function(read_label_image(path)))

    return spoil


def renamed(pattern: str, name):
    def spoil(folder: Path) -> None:
        for path in sorted((folder / "animals").glob(pattern)):
            path.rename(path.with_name(name(path)))

    return spoil


def sorted_palette(folder: Path) -> None:
    """As an editor saves masks: the colours that occur, in an order of their own."""
    for path in (folder / "animals/masks").iterdir():
        labels = read_label_image(path)
        values = np.unique(labels)[::-1]
        image = Image.fromarray(np.argsort(values)[np.searchsorted(np.sort(values), labels)].astype(np.uint8))
        image = image.convert("P")
        image.putpalette(voc_palette()[values].tobytes())
        image.save(path)


def nothing_of_val(folder: Path) -> None:
    config(dataset={"unreadable": "reject"})(folder)
    for name in ("v0", "v1"):
        (folder / f"animals/images/{name}.png").unlink()


def pipe(name: str):
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return spoil


def deep_png(folder: Path) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes(48 * 6) for _ in range(40))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 48, 40, 16, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (folder / "animals/images/a00.png").write_bytes(data)


def with_text(folder: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("comment", "x" * 3_000_000, zip=True)
    with Image.open(folder / "animals/images/a00.png") as image:
        image.save(folder / "animals/images/a00.png", pnginfo=info)


def turned(orientation: int):
    def spoil(folder: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        with Image.open(folder / "animals/images/a00.png") as image:
            image.save(folder / "animals/images/a00.png", exif=exif)

    return spoil


def broken(pattern: str):
    """Pictures that are none, left out."""

    def spoil(folder: Path) -> None:
        config(dataset={"unreadable": "reject"})(folder)
        for path in (folder / "animals/images").glob(pattern):
            path.write_bytes(b"?")

    return spoil


GREY = Image.new("RGB", (48, 40), "grey")
PHOTOGRAPHS = [
    Row("an EPS called .png", replaced("animals/images/a00.png", b"%!PS-Adobe-3.0 EPSF-3.0\n")),
    Row("a HEIC called .png", replaced("animals/images/a00.png", b"\0\0\0\x18ftypheic\0\0\0\0")),
    Row("a web page that was saved in place of a picture", replaced("animals/images/a00.png", b"<html>404</html>")),
    Row("a pointer of Git LFS", replaced("animals/images/a00.png", b"version https://git-lfs.github.com/spec/v1\n")),
    Row("an empty file", replaced("animals/images/a00.png", b"")),
    Row("a picture cut short", lambda f: os.truncate(f / "animals/images/a00.png", 900)),
    Row("16 bits a colour", deep_png),
    Row("3 MB of text in a PNG", with_text),
    Row("an animation", photograph(GREY, save_all=True, append_images=[Image.new("RGB", (48, 40))])),
    Row("wholly transparent", photograph(Image.new("RGBA", (48, 40), (255, 0, 0, 0)))),
    Row("more pixels than `dataset.max_pixels`", config(dataset={"max_pixels": 1000})),
    Row("one broken picture, `unreadable: reject`", broken("a00.*")),
    Row("every picture of a split broken, `unreadable: reject`", broken("v*")),
    Row("nearly every picture broken, `unreadable: reject`", broken("a*[1-9].*")),
    Row("a picture that nothing lists", table("a00,train,cat\n", "")),
    Row("a picture of a format that is not read", replaced("animals/images/b.heic", b"?")),
    Row("two pictures of one stem", lambda f: GREY.save(f / "animals/images/a00.jpg")),
    Row("a name of 230 bytes", lambda f: GREY.save(f / f"animals/images/{'n' * 226}.png")),
    Row("`Images/` for `images/`", lambda f: (f / "animals/images").rename(f / "animals/Images")),
    Row("no such data folder", config(dataset={"path": "beasts"})),
]
TABLES = [
    Row("no labels.csv, but Labels.csv", renamed("labels.csv", lambda path: "Labels.csv")),
    Row("an empty labels.csv", replaced("animals/labels.csv", b"")),
    Row("a pipe in place of labels.csv", pipe("animals/labels.csv")),
    Row("a column `subset`", table("split", "subset")),
    Row("a column `filename`", table("id,", "filename,")),
    Row("an unknown column", table("id,split,classes", "id,split,classes,width")),
    Row("two columns `split`", table("id,split,classes", "split,split,classes")),
    Row("tags joined with commas", table("cat;dog", "cat,dog")),
    Row("tags joined with commas, in quotes", table("cat;dog", '"cat,dog"')),
    Row("some cells of `split` blank", table("a03,train", "a03,")),
    Row("`Train` beside `train`", table("a03,train", "a03,Train")),
    Row("a quote that is never closed", table("a03,train,cat", 'a03,train,"cat')),
    Row("Latin-1", encoded("latin-1")),
    Row("UTF-16 without a byte order mark", encoded("utf-16-le")),
    Row("an id twice", table("a03,", "a02,")),
    Row("an id that leaves its folder", table("a03,", "../a03,")),
    Row("a line without an id", table("a03,", ",")),
    Row("a tag with a slip", table("a01,train,dog", "a01,train,dgo")),
    Row("an image without tags", table("a01,train,dog", "a01,train,")),
    Row("an id without a picture", table("a03,", "a033,")),
    Row("every id of a split without a picture, and `unreadable: reject`", nothing_of_val),
    Row("ids with extensions", table(",train", ".png,train")),
    Row("ids in capitals", table("\na", "\nA")),
    Row("ids without leading zeros", table("\na0", "\na")),
    Row("no classes.txt", lambda f: (f / "animals/classes.txt").unlink()),
    Row("an empty classes.txt", replaced("animals/classes.txt", b"\n")),
    Row("a class twice, in another case", replaced("animals/classes.txt", b"cat\ndog\nCat\n")),
    Row("a class called background", replaced("animals/classes.txt", b"background\ncat\ndog\n")),
    Row("a class with a semicolon", replaced("animals/classes.txt", b"cat;dog\n")),
    Row("a class that no image shows", replaced("animals/classes.txt", b"cat\ndog\nhorse\n")),
    Row("255 classes", replaced("animals/classes.txt", b"cat\ndog\n" + b"".join(b"c%d\n" % n for n in range(253)))),
]
MASKS = [
    Row("masks of another size", masks(lambda mask: mask[:, :-1], "a0[01].png")),
    Row("masks with their sides swapped", masks(lambda mask: mask.T.copy(), "a0[01].png")),
    Row("values that are no class", masks(lambda mask: mask * 60, "a0[01].png")),
    Row("0 and 255 for background and object", masks(lambda mask: np.where(mask, 255, 0).astype(np.uint8))),
    Row("values in another order than classes.txt", masks(lambda mask: np.uint8([0, 2, 1])[mask])),
    Row("object and background exchanged", masks(lambda mask: np.where(mask, 0, 1).astype(np.uint8))),
    Row("255 for background", masks(lambda mask: np.where(mask, mask, 255).astype(np.uint8))),
    Row("values that count from 0", masks(lambda mask: np.uint8([255, 0, 1])[mask])),
    Row("masks of other images", masks(lambda mask: np.where(mask, 0, 0).astype(np.uint8))),
    Row(
        "one mask with a class that is not tagged", masks(lambda mask: np.where(mask, 2, 0).astype(np.uint8), "a00.png")
    ),
    Row("VOC's palette in another order", sorted_palette),
    Row("a mask in true colour", lambda f: GREY.save(f / "animals/masks/a00.png")),
    Row("a mask cut short", lambda f: os.truncate(f / "animals/masks/a00.png", 60)),
    Row("a photograph that is stored upside down", turned(3)),
    Row("masks with a suffix", renamed("masks/*", lambda path: f"{path.stem}_mask.png")),
    Row("masks as TIFF", renamed("masks/*", lambda path: f"{path.stem}.tif")),
    Row("masks in another folder", lambda f: shutil.move(f / "animals/masks", f / "animals/SegmentationClass")),
    Row("masks of another name", renamed("masks/a00.png", lambda path: "b.png")),
    Row("masks of a split that is scored nowhere", config(evaluation={"splits": [], "label_splits": ["val"]})),
]
TAGS = [
    Row("all training images have the same tags", lines(lambda tags: "cat;dog")),
    Row("a class that every training image shows", lines(lambda tags: "cat" if tags == "cat" else "cat;dog")),
    Row("two classes that never occur apart", lines(lambda tags: "cat;dog" if tags == "cat;dog" else "bird", "bird")),
    Row("a class of few images", config(dataset={"subset": {"train": 8}})),
]
ROWS = (*PHOTOGRAPHS, *TABLES, *MASKS, *TAGS)
