"""JSON that somebody else may have written, in results."""

from pathlib import Path

import pytest
from fuzzing import fuzz

from matlabel.artifacts.reading import read_json

SEEDS = [b'{"a": [1, 2.5e3, null, "\xc3\xa9"], "b": {"c": true}}', b"[" * 5000 + b"]" * 5000]


def test_damaged_json_is_read_or_refused(tmp_path: Path):
    def read(data: bytes) -> None:
        (tmp_path / "file.json").write_bytes(data)
        read_json(tmp_path / "file.json")

    assert fuzz(read, SEEDS) >= 200


def test_what_a_reader_does_wrong_is_named_with_its_input():
    def careless(data: bytes) -> None:
        data.decode("utf-8")

    with pytest.raises(AssertionError, match="UnicodeDecodeError"):
        fuzz(careless, ["ü".encode()])


def test_a_reader_that_wants_much_memory_is_found():
    with pytest.raises(AssertionError, match="MemoryError"):
        fuzz(lambda data: bytes(3 << 30) and None, [b"a"], examples=1)
