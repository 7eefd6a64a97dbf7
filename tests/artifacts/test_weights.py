import json

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.weights import load_weights, save_weights

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool)
TENSORS = st.dictionaries(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=9).filter(
        lambda name: name != "__metadata__"
    ),
    st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 3), max_size=3), st.integers(0, 99)),
    max_size=6,
)


METADATA = st.dictionaries(st.text('abcé\n"', max_size=5), st.text(max_size=9), max_size=4)


@settings(deadline=None, max_examples=30)
@given(TENSORS, METADATA)
def test_what_is_written_is_what_the_library_reads_in_any_order(tmp_path_factory, described, metadata):
    folder = tmp_path_factory.mktemp("weights")
    tensors = {
        name: torch.randint(0, 2, shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
        for name, (dtype, shape, seed) in described.items()
    }
    save_weights(folder / "a.safetensors", tensors, metadata)
    save_weights(folder / "other", dict(reversed(tensors.items())), dict(reversed(metadata.items())))
    assert (folder / "a.safetensors").read_bytes() == (folder / "other").read_bytes()
    found = load_weights(folder / "a.safetensors")
    theirs = safetensors.torch.load_file(folder / "a.safetensors")
    assert found.tensors.keys() == theirs.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found.tensors[name].dtype == tensor.dtype
        assert torch.equal(found.tensors[name], tensor)
        assert torch.equal(theirs[name], tensor)
    with safe_open(folder / "a.safetensors", "pt") as file:
        assert file.metadata() == found.metadata == {"format": "pt", **metadata}


def test_the_layout_of_a_tensor_in_memory_is_not_in_the_bytes(tmp_path):
    plain = torch.arange(24.0).reshape(1, 2, 3, 4)
    save_weights(tmp_path / "a", {"w": plain}, {})
    save_weights(tmp_path / "b", {"w": plain.contiguous(memory_format=torch.channels_last).requires_grad_()}, {})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def header(content: dict, data: bytes = b"") -> bytes:
    text = json.dumps(content).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        (1 << 62).to_bytes(8, "little") + b"{}",
        header({"w": {"dtype": "F32", "shape": [1 << 60], "data_offsets": [0, 4]}}, b"1234"),
        header({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 1 << 60]}}, b"1234"),
        header({"w": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}, b"1234"),
        header({n: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for n in "ab"}, b"1234"),
        header({"w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, b"1234"),
        header({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"12345678"),
        header({"__metadata__": {"stage": 3}}),
    ],
)
def test_forged_headers_are_refused_in_a_line(tmp_path, data):
    (tmp_path / "w.safetensors").write_bytes(data)
    with pytest.raises(UserError, match=r"w\.safetensors: (is empty|not weights as safetensors)") as error:
        load_weights(tmp_path / "w.safetensors")
    assert len(str(error.value).splitlines()) == 1
