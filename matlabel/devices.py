"""Choosing devices and precision; torch is imported only where there may be an accelerator."""

import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from matlabel.artifacts.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")


def has_nvidia_gpu() -> bool:
    """Whether this machine has an NVIDIA GPU with a driver, without asking torch, whose import takes seconds."""
    return Path("/proc/driver/nvidia/gpus").exists() or Path("/dev/dxg").exists()


def pick_device(wanted: str) -> str:
    """The accelerator that `auto` stands for, or the one asked for.

    Args:
        wanted: auto, cpu, cuda or mps.

    Raises:
        UserError: asked for one that is not there.
    """
    if wanted == "cpu":
        return "cpu"
    import torch

    if wanted not in ("auto", "cuda", "mps"):
        raise UserError(f"device: no {wanted!r:.40}; it is auto, cpu, cuda or mps")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name, found in there.items() if found)
    if not there[wanted]:
        raise UserError(f"device: {wanted} is not available here; set device: auto or cpu")
    return wanted


def in_bfloat16(precision: str, device: str) -> bool:
    """Whether a setting `precision` means bfloat16 on a device; auto does where the hardware computes in it.

    Args:
        precision: auto, 32-true or bf16-mixed.
        device: cpu, cuda or mps.
    """
    if precision != "auto":
        return precision == "bf16-mixed"
    return device == "cuda" or (device == "cpu" and _computes_bfloat16())


def _computes_bfloat16() -> bool:
    """Whether this CPU is faster in bfloat16: others emulate it, or have instructions for it that are no faster."""
    import torch

    # Torch has no public question for either.
    tiles, vectors = (
        getattr(torch.cpu, name, bool)() for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    )
    # Intel's vectors of bfloat16 took 1.6 times as long as those of float32 (where a virtual machine has no tiles).
    return tiles or (vectors and "AuthenticAMD" in _processor())


def _processor() -> str:
    """The system's description of its processor, vendor included; Linux has that only in a file."""
    listed = Path("/proc/cpuinfo")
    return listed.read_text(encoding="utf-8", errors="replace") if listed.exists() else platform.processor()


@contextmanager
def memory_named(keys: str) -> Iterator[None]:
    """Turn running out of a GPU's memory into a message that names the settings to lower."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise UserError(f"the GPU's memory is full; lower {keys} ({str(error).splitlines()[0]})") from error


class Halving(Generic[Item, Result]):
    """A function of a batch that is retried on halves where memory runs out; a size that failed is not tried again.

    Only for what gives an item the same result in any batch: a training step is not of that kind.

    Args:
        function: a result for each item of a batch.
        fix: what to set when a single item is too much, for the message.
    """

    def __init__(self, function: Callable[[Sequence[Item]], Sequence[Result]], fix: str):
        self._function, self._fix = function, fix
        self.most: int | None = None

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        """The results, in order.

        Raises:
            UserError: a single item does not fit into the device's memory.
        """
        import torch

        results: list[Result] = []
        while len(results) < len(items):
            batch = items[len(results) :][: self.most]
            try:
                results += self._function(batch)
            except torch.OutOfMemoryError as error:
                if len(batch) == 1:
                    raise UserError(f"the GPU's memory is full with a single image; set {self._fix}") from error
                self.most = len(batch) // 2
            else:
                continue
            print(f"the GPU's memory is full: going on with batches of {self.most}", file=sys.stderr)
            # Outside the handler: the traceback keeps the tensors of the failed batch alive.
            torch.cuda.empty_cache()
        return results
