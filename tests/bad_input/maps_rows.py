"""Rows on maps of one's own and on `matlabel convert`."""

import io
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
from rows import ROWS as IMAGES
from rows import Row, config

VALUES = {"cat": 1, "dog": 2}
IRN = ("convert", "irn", "cams", "-o", "maps", "--data", "animals")
TABLE = ("convert", "cls-labels", "cls_labels.npy", "--classes", "animals/classes.txt", "-o", "labels.csv")


def maps(function=lambda found: found, last: bytes | None = None):
    """Maps of every image, each changed, the last one's file of other bytes."""

    def spoil(folder: Path) -> None:
        config(activations={"source": "files:maps"}, segmenter={"train": False})(folder)
        (folder / "maps").mkdir()
        for number, (name, (_, tags)) in enumerate(IMAGES.items()):
            classes = [VALUES[tag] for tag in tags.split(";")]
            planes = np.random.default_rng(number).random((len(classes), 10, 12), np.float32)
            np.savez_compressed(folder / f"maps/{name}.npz", classes=classes, maps=function(planes))
        if last is not None:
            (folder / f"maps/{name}.npz").write_bytes(last)

    return spoil


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    return out.getvalue()


def npy(array) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def pipe(folder: Path) -> None:
    maps()(folder)
    (folder / "maps/v1.npz").unlink()
    os.mkfifo(folder / "maps/v1.npz")


def cams(content, **more):
    """Files as IRN writes them, of these contents by id."""

    def spoil(folder: Path) -> None:
        (folder / "cams").mkdir()
        for name, found in {"a00": content, **more}.items():
            data = found if isinstance(found, bytes) else npy(np.array(found, dtype=object))
            (folder / f"cams/{name}.npy").write_bytes(data)

    return spoil


class Harmful:
    def __reduce__(self):
        return (os.system, ("touch harmed",))


def irn(*keys, scale=1.0):
    return {"keys": np.array(keys), "high_res": np.full((len(keys), 40, 48), 0.5 * scale, np.float32)}


HUGE = npy(np.zeros((1, 1))).replace(b"(1, 1)", b"(50000, 50000)")
MAPS = (
    Row("uint8 that holds 0 and 1", maps(lambda found: (found > 0.5).astype(np.uint8))),
    Row("turned, [C, w, h]", maps(lambda found: np.swapaxes(found, 1, 2))),
    Row("[h, w, C]", maps(lambda found: np.moveaxis(found, 0, 2))),
    Row("of another shape than the photograph", maps(lambda found: found[:, :, :7])),
    Row("with two rows more", maps(lambda found: np.pad(found, ((0, 0), (0, 2), (0, 0))))),
    Row("NaN", maps(lambda found: found * np.nan)),
    Row("above 1", maps(lambda found: found * 30)),
    Row("all 0", maps(np.zeros_like)),
    Row("an archive of pickled objects", maps(last=archive(classes=npy([2]), maps=npy(np.array([{}], object))))),
    Row("an array of 2.5 billion", maps(last=archive(classes=npy([2]), maps=HUGE))),
    Row("200 arrays", maps(last=archive(**{f"m{n}": b"" for n in range(200)}))),
    Row("no archive", maps(last=b"?")),
    Row("a pipe", pipe),
    Row("none of an image", lambda folder: (maps()(folder), (folder / "maps/v1.npz").unlink())),
)
CONVERT = (
    Row("a pickle that runs a program", cams(npy(np.array(Harmful(), dtype=object))), IRN),
    Row("an array and no dictionary", cams(npy(np.zeros((2, 3)))), IRN),
    Row("keys that count from 1", cams(irn(1), a01=irn(2), a03=irn(1)), IRN),
    Row("maps above 1", cams(irn(0, scale=9)), IRN),
    Row("the folder that is read as target", cams(irn(0)), (*IRN[:3], "-o", "cams", *IRN[5:])),
    Row("a folder without files", lambda folder: (folder / "cams").mkdir(), IRN),
    Row("a table of other classes", lambda f: np.save(f / "cls_labels.npy", {"a00": np.ones(3, np.float32)}), TABLE),
    Row(
        "a table over labels.csv of one's own",
        lambda folder: (
            np.save(folder / "cls_labels.npy", {"a00": np.ones(2, np.float32)}),
            shutil.copy(folder / "animals/labels.csv", folder / "labels.csv"),
        ),
        TABLE,
    ),
)
