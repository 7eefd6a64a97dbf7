import pytest
import torch

from matlabel.artifacts.errors import UserError
from matlabel.devices import Halving, in_bfloat16


def test_a_batch_that_does_not_fit_is_halved_and_stays_halved():
    calls = []

    def solve(items):
        calls.append(len(items))
        if len(items) > 3:
            raise torch.OutOfMemoryError("too large")
        return [10 * item for item in items]

    in_halves = Halving(solve, "mattes.scale: 4")
    assert in_halves(list(range(10))) == [10 * item for item in range(10)]
    assert calls == [10, 5, 2, 2, 2, 2, 2]
    calls.clear()
    assert in_halves([1, 2, 3]) == [10, 20, 30]
    assert calls == [2, 1]


def test_an_item_that_does_not_fit_alone_is_a_message_with_the_fix():
    def solve(items):
        raise torch.OutOfMemoryError("too large")

    with pytest.raises(UserError, match=r"single image; set mattes\.scale: 4"):
        Halving(solve, "mattes.scale: 4")([1, 2])


def test_auto_is_half_precision_only_where_the_hardware_computes_in_it(monkeypatch):
    assert in_bfloat16("bf16-mixed", "cpu")
    assert not in_bfloat16("32-true", "cuda")
    assert in_bfloat16("auto", "cuda")
    assert not in_bfloat16("auto", "mps")
    for name, known in (("_is_avx512_bf16_supported", True), ("_is_amx_tile_supported", False)):
        monkeypatch.setattr(torch.cpu, name, lambda known=known: known, raising=False)
    assert in_bfloat16("auto", "cpu")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    assert not in_bfloat16("auto", "cpu")
