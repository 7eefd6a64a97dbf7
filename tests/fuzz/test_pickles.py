"""Dictionaries of IRN and its like, damaged; nothing in them may run, whatever they become."""

import io
import pickle
import random
import sys

import numpy as np
import pytest
import torch
from fuzzing import fuzz

from matlabel.artifacts.errors import UserError
from matlabel.converters.cls_labels import labelled
from matlabel.converters.irn import class_maps
from matlabel.converters.objects import load_object
from matlabel.converters.pickled_tensors import TENSORS
from matlabel.converters.pickles import Machine
from matlabel.converters.problems import Problems
from matlabel.converters.vocabulary import Budget

MAPS = np.linspace(0, 1, 24, dtype=np.float32).reshape(2, 3, 4)
FOUND = [
    {"keys": torch.tensor([0, 2]), "cam": torch.from_numpy(MAPS)[:, ::2].clone(), "high_res": MAPS},
    {3: MAPS[0], np.int64(1): MAPS[1].astype(">f8")},
    {2007000032: np.array([0.0, 1, 0], np.float32), np.str_("2008_000001"): [0, 1, 1], "b": np.array([True] * 3)},
]


def saved(value):
    file = io.BytesIO()
    np.save(file, value, allow_pickle=True)
    return file.getvalue()


def no_program(event, arguments):
    """Python tells of imports and of what is run, opened or looked up by name while it is being read."""
    if READING and event in ("import", "exec", "open", "os.system", "subprocess.Popen", "pickle.find_class"):
        raise AssertionError(f"{event} {arguments}")


READING = []
sys.addaudithook(no_program)


def reading(read):
    """A target that must not import, open or run anything."""

    def target(content: bytes) -> None:
        READING.append(True)
        try:
            read(content)
        except ValueError as error:
            raise UserError(str(error)) from error
        finally:
            READING.clear()

    target.__qualname__ = read.__qualname__
    return target


def read_file(content: bytes) -> None:
    found = load_object(content)
    try:
        labels, maps = class_maps(found)
        assert len(labels) == len(maps)
    except ValueError:
        labelled(found, ["cat", "dog", "sheep"], {"2007_000032", "b"}, Problems())


def read_pickle(content: bytes) -> None:
    Machine(content, TENSORS, Budget(len(content))).load()


@pytest.mark.parametrize(
    ("read", "seeds"),
    [
        (read_file, [saved(value) for value in FOUND]),
        (read_pickle, [pickle.dumps(value, protocol) for value in FOUND for protocol in range(6)]),
    ],
)
def test_damaged_pickles_are_read_or_refused(read, seeds):
    assert fuzz(reading(read), seeds, examples=800) >= 800


def test_any_operations_in_any_order_are_read_or_refused():
    """Opcodes and names at random get further than damaged bytes: most of these pickles reach their end."""
    names = [f"c{module}\n{name}\n".encode() for module, name in TENSORS.names]
    values = [
        b"N",
        b"I01\n",
        b"K\x03",
        b"S'f4'\n",
        b"S'<'\n",
        b"]",
        b")",
        b"}",
        b"C\x04abcd",
        b"U\x02ab",
        b"G" + bytes(8),
    ]
    acts = [bytes([code]) for code in b"(012taeRbsud\x85\x86\x87\x94\x81"] + [b"h\x00", b"h\x01", b"q\x00", b"q\x01"]

    def make(_: list[bytes], draw: random.Random) -> bytes:
        return (
            b"".join(draw.choice(draw.choice((names, values, values, acts))) for _ in range(draw.randrange(40))) + b"."
        )

    assert fuzz(reading(read_pickle), [b"N."], examples=4000, make=make) >= 4000
