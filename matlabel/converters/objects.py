"""A dictionary saved by np.save as a .npy file of one pickled object: read without unpickling."""

from pathlib import Path
from typing import Any

import numpy as np

from matlabel.artifacts.npy import header_end, read_header
from matlabel.artifacts.reading import read_bytes
from matlabel.converters.pickled_tensors import TENSORS
from matlabel.converters.pickles import Machine
from matlabel.converters.vocabulary import Budget

# Of a file: as much again is in memory while it is read.
MOST_BYTES = 512 * 2**20


def load_object(content: bytes) -> Any:
    """The dictionary (or other plain value) that np.save has wrapped in a zero-dimensional array.

    Args:
        content: the file.

    Returns:
        plain values, with arrays for arrays and tensors; arrays may be read-only.

    Raises:
        ValueError: no such file, damaged, or with anything but plain values, arrays and tensors.
    """
    header = read_header(content[: header_end(content)])
    if header.dtype is not None or header.shape != ():
        raise ValueError("holds an array and not a dictionary; np.save(path, {…}) makes the files that are read here")
    found = Machine(content, TENSORS, Budget(len(content)), start=header.start).load()
    if not isinstance(found, np.ndarray) or found.shape != () or found.dtype != object:
        raise ValueError("the pickle is damaged: no array around the dictionary")
    return found.item()


def read_object(path: Path) -> Any:
    """As `load_object`, of a file.

    Raises:
        UserError: the file cannot be read, or is too large.
        ValueError: as `load_object`; the message does not name the file.
    """
    return load_object(read_bytes(path, MOST_BYTES))
