"""Archives that say they are small and are not, and the reverse: refused before they fill the memory."""

import io
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from matlabel.artifacts.npy import array_of, read_header
from matlabel.artifacts.npz import read_npz

NUMBERS = st.one_of(
    arrays.boolean_dtypes(), arrays.integer_dtypes(), arrays.floating_dtypes(), arrays.unicode_string_dtypes()
)


def refuse_large(name, header):
    if header.size > 10**6:
        raise ValueError(f"{name} is too large")


def archive(members, way=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", way) as opened, warnings.catch_warnings(action="ignore"):
        for name, content in members:
            opened.writestr(name, content)
    return file.getvalue()


def header(shape, descr="|u1"):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@given(arrays.arrays(NUMBERS, arrays.array_shapes(min_dims=0, min_side=0, max_side=4)), st.booleans())
def test_a_header_says_what_numpy_says(array, turned):
    file = io.BytesIO()
    np.save(file, array.T if turned else array)
    found = read_header(file.getvalue())
    again = array_of(file.getvalue()[found.start :], found.dtype, found.shape, found.fortran)
    np.testing.assert_array_equal(again, array.T if turned else array)
    assert again.dtype == array.dtype


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            archive([("maps.npy", header("(4, 5)") + bytes(20 * 10**6))]),
            r"shape \[4, 5\], 20 bytes, but more were found",
        ),
        (archive([("maps.npy", header("(9, 9)") + bytes(20))]), r"shape \[9, 9\], 81 bytes, but 20 were found"),
        (archive([("maps.npy", header("(30000, 30000)"))]), "maps is too large"),
        (archive([("maps.npy", header("(9999999999999999,)"))]), "no array has the shape"),
        (archive([("maps.npy", header("(2,)", "|O"))]), "pickled objects, which are never read"),
        (archive([("maps.npy", header("(2,)", "|V8"))]), "elements of the type |V8 are not read"),
        (archive([("maps.npy", b"\x93NUMPY\x02\x00" + b"\xff" * 9000)]), "header of the .npy file is damaged"),
        (archive([("maps.npy", b"text")]), "not a .npy file"),
        (archive([("maps.npy", header("(2,)") + b"ab")] * 2), "holds two arrays maps"),
        (archive([(f"{number}.npy", b"") for number in range(300)]), "an archive of more than 100 files"),
        (
            archive([("maps.npy", header("(2,)") + b"ab")], zipfile.ZIP_LZMA),
            "not compressed as np.savez_compressed does",
        ),
    ],
)
def test_bombs_and_lies_are_refused_in_little_memory(content, message):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message):
            read_npz(content, ("maps",), refuse_large)
        assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
    finally:
        tracemalloc.stop()


def test_a_directory_that_lies_about_the_size_is_refused():
    content = bytearray(archive([("maps.npy", header("(4,)") + bytes(10**7))]))
    entry = content.index(b"PK\x01\x02")
    # The size that zipfile goes by, before compression.
    content[entry + 24 : entry + 28] = (len(header("(4,)")) + 4).to_bytes(4, "little")
    with pytest.raises(ValueError, match=r"not a readable \.npz archive"):
        read_npz(bytes(content), ("maps",), refuse_large)
