"""NumPy's .npy format, read without evaluating or unpickling anything."""

import math
import re
from dataclasses import dataclass

import numpy as np

MAGIC = b"\x93NUMPY"
# Of the magic, the version, the header's length and the header: numpy itself refuses longer ones.
MOST_HEADER = 12 + 10_000
_ITEM = re.compile(r"""\s*['"](\w{1,20})['"]\s*:\s*(['"][^'"\\]{0,20}['"]|True|False|\([\d\sL,]{0,500}\))\s*(?:,|$)""")
_DESCR = re.compile(r"[<>=|]?(?:b1|[iu][1248]|f[248]|[SU][1-9]\d{0,5})")


@dataclass(frozen=True)
class Header:
    """The header of a .npy file: dtype, shape and order of its array.

    Attributes:
        dtype: of its elements; None for objects, which are pickled.
        fortran: whether the first axis varies fastest.
        shape: sides.
        start: where the array's bytes begin in the file.
    """

    dtype: np.dtype | None
    fortran: bool
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """Bytes of the array, as declared."""
        return math.prod(self.shape) * (self.dtype.itemsize if self.dtype else 0)


def header_end(beginning: bytes) -> int:
    """Length of a .npy file's header in bytes.

    Args:
        beginning: its first 12 bytes, or more.

    Raises:
        ValueError: no such file.
    """
    if not beginning.startswith(MAGIC):
        raise ValueError("not a .npy file")
    width = 2 if beginning[6:7] == b"\x01" else 4
    end = 8 + width + int.from_bytes(beginning[8 : 8 + width], "little")
    if beginning[6:7] not in (b"\x01", b"\x02", b"\x03") or not 12 <= end <= MOST_HEADER:
        raise ValueError("the header of the .npy file is damaged")
    return end


def read_header(content: bytes) -> Header:
    """The header at the beginning of a .npy file.

    Args:
        content: the file, or as much of it as `header_end` says.

    Raises:
        ValueError: no such file, or elements that are neither numbers, text nor objects.
    """
    start, width = header_end(content), 2 if content[6:7] == b"\x01" else 4
    if start > len(content):
        raise ValueError("the header of the .npy file is damaged")
    text = content[8 + width : start].decode("latin-1").strip()
    fields: dict[str, str] = {}
    inside, position = text[1:-1].strip(), 0
    while text[:1] == "{" and text[-1:] == "}" and (item := _ITEM.match(inside, position)):
        fields[item[1]] = item[2]
        position = item.end()
    if position != len(inside) or fields.keys() != {"descr", "fortran_order", "shape"}:
        raise ValueError("the header of the .npy file is damaged, or it holds records of several fields")
    shape = tuple(int(side) for side in re.findall(r"\d+", fields["shape"]))
    descr = fields["descr"][1:-1]
    if len(shape) > 32 or max(shape, default=0) > 2**40:
        raise ValueError(f"no array has the shape {fields['shape']:.60}")
    dtype = None if descr in ("|O", "O") else element_type(descr)
    return Header(dtype, fields["fortran_order"] == "True", shape, start)


def element_type(descr: str) -> np.dtype:
    """The NumPy type of a description such as <f4: booleans, integers, floats and text, nothing else.

    Raises:
        ValueError: another.
    """
    if not _DESCR.fullmatch(descr):
        raise ValueError(f"elements of the type {descr:.20} are not read: numbers and text alone")
    return np.dtype(descr)


def array_of(content: bytes | memoryview, dtype: np.dtype, shape: tuple[int, ...], fortran: bool = False) -> np.ndarray:
    """A read-only array over `content`, which must be exactly as long as dtype and shape say.

    Raises:
        ValueError: it is not.
    """
    size = math.prod(shape) * dtype.itemsize
    if len(content) != size:
        raise ValueError(f"an array of the shape {list(shape)} takes {size} bytes, and there are {len(content)}")
    if not size:
        return np.empty(shape, dtype)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
