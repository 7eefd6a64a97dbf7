"""NumPy's arrays, scalars and dtypes within a pickle, rebuilt from checked shapes, types and bytes."""

import math
from typing import Any

import numpy as np

from matlabel.artifacts.npy import array_of, element_type
from matlabel.converters.vocabulary import Budget, Known, Vocabulary


class ElementType:
    """A dtype under construction: a pickle gives its description first, its byte order later."""

    def __init__(self, descr: str):
        self.descr, self.order = descr, "="
        self.objects = descr in ("O", "O4", "O8")
        if not self.objects:
            element_type(descr)

    @property
    def dtype(self) -> np.dtype:
        """The NumPy type; never one of objects."""
        if self.objects:
            raise ValueError("an array of objects; only one around a single value is read")
        return element_type(self.order + self.descr.lstrip("<>=|"))


def sides(value: Any) -> tuple[int, ...]:
    """A shape read from a pickle, checked.

    Raises:
        ValueError: none.
    """
    if type(value) is not tuple or len(value) > 32 or not all(type(side) is int and side >= 0 for side in value):
        raise ValueError("an array with a shape that is none")
    return value


def _type(arguments: tuple, budget: Budget) -> ElementType:
    if not arguments or type(arguments[0]) is not str:
        raise ValueError("an array of a type that is not read")
    return ElementType(arguments[0])


def _set_type(value: ElementType, state: Any, budget: Budget) -> None:
    # version, byte order, subarray, names, fields, item size, alignment, flags …
    if type(state) is not tuple or len(state) < 5 or type(state[1]) is not str or state[1] not in "<>=|":
        raise ValueError("the pickle is damaged: a type of elements without a byte order")
    if any(part is not None for part in state[2:5]):
        raise ValueError("an array of records, which is not read")
    value.order = state[1]


def _empty(arguments: tuple, budget: Budget) -> np.ndarray:
    if not arguments or not isinstance(arguments[0], Known) or arguments[0].name != "numpy.ndarray":
        raise ValueError("an array that is no plain array: not read")
    return np.empty(0, np.uint8)


def _set_array(array: np.ndarray, state: Any, budget: Budget) -> None:
    # In old files there is no version before these.
    if type(state) is not tuple or len(state) not in (4, 5) or array.size or array.base is not None:
        raise ValueError("the pickle is damaged: an array without a state")
    shape, kind, fortran, data = state[-4:]
    if not isinstance(kind, ElementType) or type(fortran) not in (bool, int):
        raise ValueError("the pickle is damaged: an array without a type")
    if kind.objects:
        # np.save wraps what is no array in one of no dimensions.
        if shape != () or type(shape) is not tuple or type(data) is not list or len(data) != 1:
            raise ValueError("an array of objects; only one around a single value is read")
        array.__setstate__((1, (), np.dtype("O"), False, data))
        return
    if type(data) is str:
        data = data.encode("latin-1")
    if type(data) is not bytes:
        raise ValueError("the pickle is damaged: an array without bytes")
    budget.take(len(data))
    if math.prod(sides(shape)) * kind.dtype.itemsize != len(data):
        raise ValueError(f"an array of the shape {list(shape)!s:.100} with {len(data)} bytes")
    array.__setstate__((1, shape, kind.dtype, bool(fortran), data))


def _from_buffer(arguments: tuple, budget: Budget) -> np.ndarray:
    if len(arguments) not in (4, 5) or type(arguments[0]) not in (bytes, bytearray):
        raise ValueError("the pickle is damaged: an array without bytes")
    data, kind, shape, order = arguments[:4]
    if not isinstance(kind, ElementType) or type(order) is not str or order not in ("C", "F", "K"):
        raise ValueError("the pickle is damaged: an array without a type")
    array = array_of(data, kind.dtype, sides(shape), order == "F")
    if len(arguments) == 5 and arguments[4] is not None:
        axes = sides(arguments[4])
        if sorted(axes) != list(range(array.ndim)):
            raise ValueError("the pickle is damaged: axes of an array that are none")
        array = array.transpose(axes)
    return array


def _scalar(arguments: tuple, budget: Budget) -> np.generic:
    if len(arguments) != 2 or not isinstance(arguments[0], ElementType):
        raise ValueError("the pickle is damaged: a number without a type")
    kind, data = arguments
    if type(data) is str:
        data = data.encode("latin-1")
    if type(data) is not bytes:
        raise ValueError("the pickle is damaged: a number without bytes")
    budget.take(len(data))
    return array_of(data, kind.dtype, ())[()]


def _encode(arguments: tuple, budget: Budget) -> bytes:
    """Bytes from the text that old protocols hold them as."""
    if len(arguments) != 2 or not all(type(part) is str for part in arguments) or arguments[1] != "latin1":
        raise ValueError("the pickle is damaged: bytes that are none")
    budget.take(len(arguments[0]))
    return arguments[0].encode("latin-1")


def _no_bytes(arguments: tuple, budget: Budget) -> bytes:
    if arguments:
        raise ValueError("the pickle is damaged: bytes that are none")
    return b""


_NUMPY = {
    ("multiarray", "_reconstruct"): Known("numpy._reconstruct", _empty),
    ("multiarray", "scalar"): Known("numpy.scalar", _scalar),
    ("numeric", "_frombuffer"): Known("numpy._frombuffer", _from_buffer),
}

ARRAYS = Vocabulary(
    names={
        **{
            (f"numpy.{core}.{module}", name): known
            for core in ("core", "_core")
            for (module, name), known in _NUMPY.items()
        },
        ("numpy", "ndarray"): Known("numpy.ndarray"),
        ("numpy", "dtype"): Known("numpy.dtype", _type),
        ("_codecs", "encode"): Known("_codecs.encode", _encode),
        ("builtins", "bytes"): Known("bytes", _no_bytes),
        ("__builtin__", "bytes"): Known("bytes", _no_bytes),
    },
    states={ElementType: _set_type, np.ndarray: _set_array},
)
