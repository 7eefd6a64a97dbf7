"""Torch's tensors within a pickle, read as arrays; torch itself is not needed.

A tensor is a view of a storage (offset, size, stride), and a storage a file of its own within the pickle, in the format
of torch before 1.6: five pickles (a magic number, a version, the machine, the storage's name, the names of all that
follow), then for each storage its length and its numbers.
"""

from typing import Any

import numpy as np

from matlabel.converters.pickled_arrays import ARRAYS, sides
from matlabel.converters.pickles import Machine
from matlabel.converters.vocabulary import Budget, Known, Vocabulary

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "|i1",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}


class Storage:
    """The storage of some tensors: declared first, its bytes read later."""

    def __init__(self, dtype: np.dtype, count: int):
        self.dtype, self.count = dtype, count
        self.values = np.empty(0, dtype)


def _load_storage(arguments: tuple, budget: Budget) -> Storage:
    if len(arguments) != 1 or type(arguments[0]) is not bytes:
        raise ValueError("the pickle is damaged: a tensor without numbers")
    content, found = arguments[0], {}

    def declared(name: Any) -> Storage:
        if type(name) is not tuple or len(name) not in (5, 6) or any(part is not None for part in name[5:]):
            raise ValueError("a tensor in a form that is not read; save its numpy() instead")
        kind, key, count = name[1], name[2], name[4]
        if not isinstance(kind, Known) or type(key) is not str or type(count) is not int or count < 0:
            raise ValueError("the pickle is damaged: a tensor without numbers")
        found[key] = found.get(key) or Storage(np.dtype(_STORAGES[kind.name]), count)
        return found[key]

    file = Machine(content, _WITHIN, budget, declared)
    magic, version, machine = file.load(), file.load(), file.load()
    if type(magic) is not int or magic != _MAGIC or type(version) is not int or version != _VERSION:
        raise ValueError("a tensor in a form that is not read; save its numpy() instead")
    if type(machine) is not dict or machine.get("little_endian") is not True:
        raise ValueError("a tensor of a machine with the highest byte first; save its numpy() instead")
    storage, keys = file.load(), file.load()
    if not isinstance(storage, Storage) or type(keys) is not list:
        raise ValueError("the pickle is damaged: a tensor without numbers")
    position = file.position
    for key in keys:
        if type(key) is not str or key not in found:
            raise ValueError("the pickle is damaged: numbers of no tensor")
        values = found.pop(key)
        begin, size = position + 8, values.count * values.dtype.itemsize
        position = begin + size
        if position > len(content) or content[begin - 8 : begin] != values.count.to_bytes(8, "little"):
            raise ValueError("the pickle is damaged: a tensor is cut short")
        values.values = np.frombuffer(content, values.dtype, values.count, begin) if values.count else values.values
    if found:
        raise ValueError("the pickle is damaged: a tensor without numbers")
    return storage


def _tensor(arguments: tuple, budget: Budget) -> np.ndarray:
    """A read-only array over its storage."""
    if len(arguments) < 4 or not isinstance(arguments[0], Storage) or type(arguments[1]) is not int:
        raise ValueError("the pickle is damaged: a tensor without numbers")
    storage, offset = arguments[:2]
    size, stride = sides(arguments[2]), sides(arguments[3])
    if len(size) != len(stride) or offset < 0:
        raise ValueError("the pickle is damaged: a tensor with a shape that is none")
    if 0 in size:
        return np.empty(size, storage.dtype)
    count, last = 1, offset
    for length, step in zip(size, stride, strict=True):
        count, last = count * length, last + (length - 1) * step
    # More elements than numbers: repeated without being stored, which a small file can do without end.
    if last >= len(storage.values) or count > len(storage.values):
        raise ValueError(f"a tensor of the shape {list(size)!s:.100} with {len(storage.values)} numbers")
    steps = [step * storage.dtype.itemsize if length > 1 else 0 for length, step in zip(size, stride, strict=True)]
    return np.lib.stride_tricks.as_strided(storage.values[offset:], size, steps, writeable=False)


def _ordered(arguments: tuple, budget: Budget) -> dict:
    """A tensor's backward hooks: an empty OrderedDict, nothing else is accepted."""
    if any(arguments):
        raise ValueError("a dictionary in a form that is not read")
    return {}


_WITHIN = Vocabulary({("torch", name): Known(name) for name in _STORAGES}, {})

TENSORS = Vocabulary(
    names={
        **ARRAYS.names,
        ("torch._utils", "_rebuild_tensor"): Known("torch._utils._rebuild_tensor", _tensor),
        ("torch._utils", "_rebuild_tensor_v2"): Known("torch._utils._rebuild_tensor_v2", _tensor),
        ("torch.storage", "_load_from_bytes"): Known("torch.storage._load_from_bytes", _load_storage),
        ("collections", "OrderedDict"): Known("collections.OrderedDict", _ordered),
    },
    states=ARRAYS.states,
)
