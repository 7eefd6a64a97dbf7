import pytest
import torch

from matlabel import devices
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


def test_auto_is_half_precision_on_a_gpu():
    assert in_bfloat16("bf16-mixed", "cpu")
    assert not in_bfloat16("32-true", "cuda")
    assert in_bfloat16("auto", "cuda")
    assert not in_bfloat16("auto", "mps")


@pytest.mark.parametrize(
    ("vectors", "tiles", "vendor", "expected"),
    [
        (False, False, "AuthenticAMD", False),
        (True, False, "AuthenticAMD", True),
        (True, False, "GenuineIntel", False),
        (True, True, "GenuineIntel", True),
    ],
)
def test_auto_on_a_cpu_is_half_precision_only_where_that_is_faster(monkeypatch, vectors, tiles, vendor, expected):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: vectors, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles, raising=False)
    monkeypatch.setattr(devices, "_processor", lambda: f"vendor_id : {vendor}")
    assert in_bfloat16("auto", "cpu") == expected
