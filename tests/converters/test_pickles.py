"""The reader of pickles against Python's own, on values of every kind; and on pickles that are programs."""

import ast
import io
import math
import os
import pickle
import pkgutil
import subprocess
import sys
import tracemalloc
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import matlabel.converters
from matlabel.converters.objects import load_object
from matlabel.converters.pickled_tensors import TENSORS
from matlabel.converters.pickles import Machine
from matlabel.converters.vocabulary import Budget

PROTOCOLS = st.integers(0, 5)
DTYPES = st.one_of(
    arrays.boolean_dtypes(),
    arrays.integer_dtypes(endianness="?"),
    arrays.unsigned_integer_dtypes(endianness="?"),
    arrays.floating_dtypes(endianness="?"),
    arrays.unicode_string_dtypes(),
)
ARRAYS = arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, min_side=0, max_side=3))
TURNED = ARRAYS.flatmap(lambda array: st.permutations(range(array.ndim)).map(array.transpose))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**600), 2**600),
    st.floats(),
    st.text(st.characters()),
    st.text(max_size=300),
    st.binary(max_size=300),
    # Of empty text NumPy makes a type of no length, and nobody an id.
    ARRAYS.filter(lambda array: array.size and array.flat[0] != "").map(lambda array: array.flat[0]),
)
# NaN is no key that can be found again, and longer numbers are refused.
KEYS = SCALARS.filter(lambda key: key == key and not (isinstance(key, int) and abs(key) >= 2**63))
TREES = st.recursive(
    SCALARS | ARRAYS | TURNED,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        # The same value twice goes through the memo.
        inner.map(lambda value: [value, value]),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=10,
)


def read(content):
    return Machine(content, TENSORS, Budget(len(content))).load()


def same(one, other):
    """Equal in value and type all the way down; NaN equals NaN."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            same(one[key], other[key])
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            same(*pair)
    elif isinstance(one, (np.ndarray, np.generic)):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other or (math.isnan(one) and math.isnan(other))


@given(TREES, PROTOCOLS)
def test_values_are_read_as_pickle_reads_them(value, protocol):
    content = pickle.dumps(value, protocol)
    same(read(content), pickle.loads(content))


@given(TREES)
def test_what_np_save_made_is_read_as_np_load_reads_it(value):
    file = io.BytesIO()
    wrapped = np.empty((), object)
    wrapped[()] = value
    np.save(file, wrapped, allow_pickle=True)
    file.seek(0)
    same(load_object(file.getvalue()), np.load(file, allow_pickle=True).item())


TENSORS_OF = arrays.arrays(
    st.sampled_from(["f4", "f8", "f2", "i8", "i4", "i2", "i1", "u1", "b1"]),
    arrays.array_shapes(min_dims=0, min_side=0, max_side=4),
)


@given(TENSORS_OF, st.data(), PROTOCOLS)
def test_tensors_are_read_as_the_arrays_they_hold(array, data, protocol):
    tensor = torch.from_numpy(array.copy())
    tensor = tensor.permute(data.draw(st.permutations(range(tensor.ndim))))
    if tensor.ndim and tensor.shape[0] > 1 and data.draw(st.booleans()):
        tensor = tensor[1:]
    if tensor.ndim and tensor.shape[-1] > 1 and data.draw(st.booleans()):
        tensor = tensor[..., ::2]
    one, two = read(pickle.dumps((tensor, tensor.reshape(-1)), protocol))
    same(one, tensor.numpy())
    same(two, tensor.reshape(-1).numpy())


def test_a_pickle_of_python_2_is_read():
    # {'k\xe9y': array([1., 2.], '<f4'), u'\u20ac': 3L}, protocols 0 and 2
    kind = "cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
    text = (
        "(dS'k\\xe9y'\ncnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\nt"
        + kind
        + "I00\nS'\\x00\\x00\\x80?\\x00\\x00\\x00@'\ntbsV\\u20ac\nL3L\ns."
    )
    found = read(text.encode("latin-1"))
    assert list(found) == ["k\xe9y", "€"]
    same(found["k\xe9y"], np.array([1, 2], "<f4"))
    binary = b"\x80\x02}U\x02k\xe9cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02S3K\x00K\x01\x87R(K\x03U\x01|NNNK"
    binary += b"\x03K\x01K\x00tbU\x03abc\x86Rs."
    same(read(binary), {"k\xe9": np.bytes_(b"abc")})


class Runs:
    """Runs a command where it is unpickled."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def programs(sentinel):
    command = f"touch {sentinel}"
    yield "system", pickle.dumps(Runs(os.system, (command,)))
    yield "eval", pickle.dumps({"keys": Runs(eval, (f"open({str(sentinel)!r}, 'w')",))}, 2)
    yield "nested", pickle.dumps([[Runs(pickle.loads, (pickle.dumps(Runs(os.system, (command,))),))]])
    yield "getattr", b"cbuiltins\ngetattr\n."
    yield "instance", f"(S'{command}'\nios\nsystem\n.".encode()
    yield "object", f"(cos\nsystem\nS'{command}'\no.".encode()
    yield "old", f"cposix\nsystem\n(S'{command}'\ntR.".encode()
    yield "numpy load", b"cnumpy\nload\n(S'a.npy'\nNI01\ntR."
    yield "torch load", b"ctorch\nload\n(S'a.pt'\ntR."
    yield "dotted", b"\x80\x04\x8c\x05numpy\x8c\x0fdtype.__class__\x93."
    yield "state", b"\x80\x02cnumpy\ndtype\n}S'__call__'\nK\x01sb."
    yield "copy_reg", b"ccopy_reg\n_reconstructor\n(cnumpy\nndarray\nc__builtin__\nobject\nNtR."
    yield "extension", b"\x80\x02\x82\x01."
    yield "new object", b"\x80\x02cnumpy\ndtype\n(S'f4'\nt\x81."
    yield "called type", b"cnumpy\nndarray\n(I5\ntR."
    inside = pickle.dumps(Runs(os.system, (command,)), 2)
    yield "storage", pickle.dumps(Runs(torch.storage._load_from_bytes, (inside,)), 2)
    file = io.BytesIO()
    torch.save(Runs(os.system, (command,)), file, _use_new_zipfile_serialization=False)
    yield "torch file", pickle.dumps(Runs(torch.storage._load_from_bytes, (file.getvalue(),)), 2)


@pytest.mark.parametrize("name", [name for name, _ in programs("x")])
def test_no_program_runs(name, tmp_path):
    sentinel = tmp_path / "ran"
    content = dict(programs(sentinel))[name]
    with pytest.raises(ValueError, match=r"not read|damaged|names"):
        read(content)
    assert not sentinel.exists()


def test_the_programs_do_run_elsewhere(tmp_path):
    """Else the test before shows nothing."""
    content = dict(programs(tmp_path / "ran"))["system"]
    subprocess.run([sys.executable, "-c", f"import pickle; pickle.loads({content!r})"], check=True)
    assert (tmp_path / "ran").exists()


def test_what_a_pickle_names_is_said():
    with pytest.raises(ValueError, match=r"^names posix\.system, which is no array: not read$"):
        read(pickle.dumps(Runs(os.system, ("true",))))
    with pytest.raises(ValueError, match=r"^names collections\.Counter, which"):
        read(b"ccollections\nCounter\n.")


def dtype(descr):
    return b"cnumpy\ndtype\n(S'" + descr + b"'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"


EMPTY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
BOMBS = {
    "objects": (pickle.dumps(np.array([None, 1], object)), "array of objects"),
    "records": (pickle.dumps(np.zeros(2, "i4,f4")), "not read"),
    "dates": (pickle.dumps(np.zeros(2, "M8[s]")), "not read"),
    "huge shape": (EMPTY + b"(I1\n(L1000000000000L\nt" + dtype(b"f4") + b"I00\nS'abcd'\ntb.", "with 4 bytes"),
    "negative shape": (EMPTY + b"(I1\n(I-1\nt" + dtype(b"f4") + b"I00\nS'abcd'\ntb.", "shape that is none"),
    "long text type": (dtype(b"U999999999") + b".", "not read"),
    "huge text": (b"X\xff\xff\xff\x7fabc.", "cut short"),
    "wide text": (b"X" + (10**6).to_bytes(4, "little") + b"a" * (10**6 - 4) + "🦊".encode() + b".", "a text of"),
    "huge number": (b"\x8b" + (10**6).to_bytes(4, "little") + bytes(10**6) + b".", "a number of"),
    "long key": (b"}X" + (2000).to_bytes(4, "little") + b"a" * 2000 + b"Ns.", "key of 2000 letters"),
    "keys of one hash": (pickle.dumps({1 + number * (2**61 - 1): 0 for number in range(99)}), "a key of 6. bits"),
    "tuple as key": (b"}(NtNs.", "key that is a tuple"),
    "protocol 9": (b"\x80\x09N.", "protocol 9"),
    # One array of a megabyte, again and again.
    "bytes used again": (
        b"]B"
        + (10**6).to_bytes(4, "little")
        + bytes(10**6)
        + b"q\x010"
        + dtype(b"f8")
        + b"q\x020"
        + b"".join([EMPTY + b"(I1\n(I125000\nth\x02I00\nh\x01tba"] * 300)
        + b".",
        "larger than the file",
    ),
    "tensor repeated": (pickle.dumps(torch.zeros(1).expand(10**6, 10**6)), "with 1 numbers"),
    "deep": (b"(" * 100_000 + b"t" * 100_000 + b"N.", None),
    "deep lists": (b"]" * 100_000 + b"a" * 99_999 + b".", None),
    "itself": (b"]q\x00h\x00a.", None),
    "marks": (b"t.", "damaged"),
    "nothing": (b"", "cut short"),
    "no such memo": (b"h\x07.", "damaged"),
    "long digits": (b"I" + b"9" * 10**6 + b"\n.", "."),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_little_memory(name):
    content, message = BOMBS[name]
    tracemalloc.start()
    try:
        if message is None:
            read(content)
        else:
            with pytest.raises(ValueError, match=message):
                read(content)
        assert tracemalloc.get_traced_memory()[1] < max(30 * 10**6, 120 * len(content))
    finally:
        tracemalloc.stop()


def test_operations_are_counted_also_within_tensors():
    content = pickle.dumps([torch.zeros(2), torch.zeros(2)])
    budget = Budget(len(content))
    budget.operations = 100
    with pytest.raises(ValueError, match="a pickle of more than"):
        Machine(content, TENSORS, budget).load()


def test_no_converter_loads_torch_or_names_an_unpickler():
    names = [module.name for module in pkgutil.iter_modules(matlabel.converters.__path__, "matlabel.converters.")]
    script = (
        f"import sys, importlib; [importlib.import_module(name) for name in {names}]; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
    for path in Path(matlabel.converters.__path__[0]).glob("*.py"):
        tree = ast.parse(path.read_text())
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert not imported & {"pickle", "torch"}, path


def test_an_ordered_dictionary_with_something_in_it_is_no_hook_of_a_tensor():
    with pytest.raises(ValueError, match="not read"):
        read(pickle.dumps(OrderedDict(a=1), 2).replace(b")R", b"(K\x01tR"))
