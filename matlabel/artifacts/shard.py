"""One HDF5 file a shard, a group an image id in slot order; artifacts hold nothing that varies between runs."""

import errno
import json
import os
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from matlabel.artifacts.atomic import atomic_path
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.format import FORMAT

_LEVEL = 4  # of gzip; higher ones take longer and save little
_RATIO = 1100  # gzip makes 1032 bytes of one at most: an array that claims more was never written
_PLAIN = 1 << 20  # bytes of an array that may stand for nothing but zeros
_REMEDY = "delete it and run again"
# What h5py raises where a file's structure is not what it says.
_DAMAGE = (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, OverflowError)
_SMALL = 64  # elements that are stored plainly: filters need chunks, and chunks need a size


@dataclass(frozen=True)
class Packed:
    """An array of bytes that the process which made it has already compressed."""

    shape: tuple[int, ...]
    data: bytes


def pack(array: np.ndarray) -> Packed:
    """Compress uint8 of any shape without loss, as a shard stores it."""
    return Packed(array.shape, zlib.compress(np.ascontiguousarray(array), _LEVEL))


class ShardWriter:
    """Adds images to a shard that is being written (see `write_shard`)."""

    def __init__(self, file: h5py.File):
        self._file = file

    def add(self, image_id: str, **arrays: np.ndarray | Packed) -> None:
        """Store named arrays of one image: any dtype and shape, compressed without loss."""
        group = self._file.create_group(image_id, track_order=True)
        gzip = {"compression": "gzip", "compression_opts": _LEVEL, "track_times": False}
        for name, array in arrays.items():
            if isinstance(array, np.ndarray) and array.dtype == np.uint8 and array.size > _SMALL:
                # The same path for all, or the file would depend on who compressed.
                array = pack(array)
            if isinstance(array, Packed):
                dataset = group.create_dataset(name, array.shape, np.uint8, chunks=array.shape, **gzip)
                dataset.id.write_direct_chunk((0,) * len(array.shape), array.data)
                continue
            array = np.asarray(array)
            options = {"chunks": array.shape, "shuffle": array.itemsize > 1, **gzip} if array.size > _SMALL else {}
            group.create_dataset(name, data=array, **{"track_times": False, **options})


@contextmanager
def write_shard(path: str | Path, *, stage: str, key: str, classes: list[str], settings: dict) -> Iterator[ShardWriter]:
    """Write a shard atomically: `with write_shard(...) as shard: shard.add("id", trimap=array)`."""
    with atomic_path(path) as temporary:
        with h5py.File(temporary, "w", track_order=True, libver="v110", locking=False) as file:
            # Of fixed length: libhdf5 loops for ever in a damaged heap of texts of any length.
            for name, text in (
                ("stage", stage),
                ("key", key),
                ("classes", json.dumps(classes, ensure_ascii=False)),
                ("settings", json.dumps(settings, sort_keys=True, ensure_ascii=False)),
            ):
                file.attrs[name] = np.bytes_(text.encode())
            file.attrs["format"] = FORMAT
            yield ShardWriter(file)


class Shard:
    """A shard open for reading: `ids` in slot order, `shard[id]` the arrays of an image, by name."""

    def __init__(self, path: Path, file: h5py.File):
        self.path = path
        self._file = file
        self.stage: str = _attribute(path, file, "stage", str)
        self.key: str = _attribute(path, file, "key", str)
        self.classes: list[str] = _attribute(path, file, "classes", list)
        self.settings: dict = _attribute(path, file, "settings", dict)
        self.ids: list[str] = list(file.keys())

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._file

    def __getitem__(self, image_id: str) -> dict[str, np.ndarray]:
        return {name: self.read(image_id, name) for name in self._group(image_id)}

    def read(self, image_id: str, name: str) -> np.ndarray:
        """One array of one image, without reading the others."""
        try:
            group = self._group(image_id)
            found = group[name] if _stands(group, name) else None
            if (
                isinstance(found, h5py.Dataset)
                and found.dtype.kind in "biuf"
                and not _elsewhere(found)
                and found.nbytes <= _PLAIN + _RATIO * found.id.get_storage_size()
            ):
                return found[()]
        except _DAMAGE as error:
            raise UserError(f"{self.path}: {image_id}/{name} cannot be read ({error!s:.200}); {_REMEDY}") from error
        raise UserError(f"{self.path}: {image_id}/{name} is no array of an image; {_REMEDY}")

    def _group(self, image_id: str) -> h5py.Group:
        try:
            there = image_id in self._file
            found = self._file[image_id] if there and _stands(self._file, image_id) else None
        except _DAMAGE as error:
            raise UserError(f"{self.path}: {image_id} cannot be read ({error!s:.200}); {_REMEDY}") from error
        if not there:
            raise UserError(f"{self.path}: holds no image {image_id}; it was made from other data: rerun {self.stage}")
        if not isinstance(found, h5py.Group):
            raise UserError(f"{self.path}: {image_id} holds no arrays; {_REMEDY}")
        return found


def _stands(group: h5py.Group, name: str) -> bool:
    """Whether a member is part of the file itself and not a link, which could lead into any other file."""
    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def _elsewhere(dataset: h5py.Dataset) -> bool:
    """Whether a data set keeps its values in other files."""
    return bool(dataset.is_virtual or dataset.external)


def _plain_attribute(file: h5py.File, name: str) -> Any:
    """The value of a root attribute that is stored in its header: a number or a text of fixed length.

    Raises:
        KeyError: there is none.
        ValueError: it is of another kind.
    """
    if file.attrs.get_id(name).dtype.kind not in "Siuf":
        raise ValueError("neither a number nor a text of fixed length")
    return file.attrs[name]


def _attribute(path: Path, file: h5py.File, name: str, kind: type) -> Any:
    """A root attribute; lists and mappings are JSON."""
    try:
        found = _plain_attribute(file, name)
        found = found.decode() if isinstance(found, bytes) else found
        found = found if kind is str else json.loads(found)
    except (*_DAMAGE, RecursionError) as error:
        raise UserError(f"{path}: its attribute {name} cannot be read ({error!s:.200}); {_REMEDY}") from error
    if not isinstance(found, kind) or (kind is list and not all(isinstance(each, str) for each in found)):
        raise UserError(f"{path}: its attribute {name} is not what a stage writes; {_REMEDY}")
    return found


@contextmanager
def open_shard(path: str | Path, stage: str | None = None) -> Iterator[Shard]:
    """Open a shard for reading: `with open_shard(path) as shard`.

    Args:
        path: results/<stage>/<key>/shard-<number>.h5, or the same by way of results/runs.
        stage: the stage that it has to be of; None: any.

    Yields:
        a `Shard`: `ids` in slot order, `classes` (label value 1 is the first), and `shard[id]`, the arrays of an image
        by name; docs/artifacts.md says which a stage stores. An array is read when it is asked for.

    Raises:
        UserError: missing, damaged, of another stage than `stage`, or in another format than this version writes.
            Only of what is damaged the message says to delete it: a file that cannot be opened may be sound.

    Example:
        A shard of one image, written as the stage labels does, and read:

        >>> import tempfile
        >>> import numpy as np
        >>> from matlabel.artifacts.shard import open_shard, write_shard
        >>> path = tempfile.mkdtemp() + "/shard-00000.h5"
        >>> with write_shard(path, stage="labels", key="0badcafe", classes=["cat", "dog"], settings={}) as shard:
        ...     shard.add("photo", labels=np.array([[0, 1], [1, 255]], np.uint8))

        >>> with open_shard(path, "labels") as shard:
        ...     for image_id in shard.ids:
        ...         labels = shard[image_id]["labels"]
        ...         print(image_id, labels.shape, [shard.classes[value - 1] for value in set(labels.flat) - {0, 255}])
        photo (2, 2) ['cat']
    """
    path = Path(path)
    try:
        # By itself, or libhdf5 would wait for ever for the writer of a pipe.
        if not stat.S_ISREG(path.stat().st_mode):
            raise UserError(f"{path}: no file, and so no shard")
        # Nobody writes a shard under its final name, and many file systems of clusters have no locks.
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        if number := _system_error(error):
            hint = "run again to make it" if number == errno.ENOENT else "the shard itself may be sound"
            raise UserError(f"{path}: cannot be opened ({os.strerror(number)}); {hint}") from error
        raise UserError(f"{path}: cannot be read as a shard ({error}); delete it and run again") from error
    with file:
        try:
            written = int(_plain_attribute(file, "format")) if "format" in file.attrs else None
            shard = Shard(path, file) if written == FORMAT else None
        except _DAMAGE as error:
            raise UserError(f"{path}: cannot be read as a shard ({error!s:.200}); {_REMEDY}") from error
        if written is None:
            raise UserError(f"{path}: not a matlabel shard")
        if shard is None:
            raise UserError(f"{path}: written in format {written}, this version reads format {FORMAT}; {_REMEDY}")
        if stage is not None and shard.stage != stage:
            raise UserError(f"{path}: holds {shard.stage:.100}, expected {stage}")
        yield shard


def _system_error(error: OSError) -> int | None:
    """The errno of a system error, which libhdf5 gives only in words; None where the content is wrong."""
    found = re.search(r"errno = (\d+)", str(error))
    return error.errno or (int(found[1]) if found else None)
