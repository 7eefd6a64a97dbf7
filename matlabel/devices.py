"""Where networks and solvers run; torch is imported only where there may be something to find."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matlabel.artifacts.errors import UserError


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

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name, found in there.items() if found)
    if not there[wanted]:
        raise UserError(f"device: {wanted} is not available here; set device: auto or cpu")
    return wanted


@contextmanager
def memory_named(keys: str) -> Iterator[None]:
    """Turn running out of a GPU's memory into a message that names the settings to lower."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise UserError(f"the GPU's memory is full; lower {keys} ({str(error).splitlines()[0]})") from error
