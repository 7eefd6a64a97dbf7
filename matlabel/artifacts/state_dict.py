"""State dicts in torch's format, read without unpickling code, and their fit to a network."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from matlabel.artifacts.atomic import write_bytes
from matlabel.artifacts.errors import UserError, cut
from matlabel.artifacts.reading import read_bytes


def save_state(path: str | Path, content: dict) -> None:
    """Write nested dicts of tensors, numbers and strings, atomically; equal content gives equal bytes.

    Serialised through memory: `torch.save` to a path would put the file's name into the bytes.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_bytes(path, buffer.getvalue())


def load_state(path: str | Path) -> dict:
    """Read what `save_state` wrote, or any plain state dict, onto the CPU.

    Raises:
        UserError: no regular file, empty, damaged, holding more than tensors and plain values, or no dictionary.
    """
    # A pipe would keep torch waiting.
    return parsed_state(path, read_bytes(path))


def parsed_state(path: str | Path, data: bytes) -> dict:
    """The content of a file that `torch.save` wrote.

    Args:
        path: of the file, for messages.
        data: its bytes.

    Raises:
        UserError: as `load_state`.
    """
    if not data:
        raise UserError(f"{path}: is empty; it must hold weights that torch.save wrote")
    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes come as any type; no reason is quoted: torch's is to allow code
        raise UserError(
            f"{path}: not weights that torch.save wrote as a plain dictionary of tensors: damaged, of another format, "
            "or holding objects, which are code and never loaded here; save model.state_dict() anew"
        ) from error
    if not isinstance(found, dict):
        raise UserError(
            f"{path}: holds a {type(found).__name__} and not a dictionary of tensors, as state_dict() gives"
        )
    return found


def load_into(network: nn.Module, state: Any, where: str) -> None:
    """Load a state dict, whose tensors must be all that the network has, of its shapes, and finite.

    Args:
        network: what it holds is undefined after an error.
        state: name -> tensor.
        where: start of the message.

    Raises:
        UserError: it does not fit; the message names the first tensor that does not.
    """
    check_state(network, state, where)
    try:
        network.load_state_dict(dict(state))
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{where}: does not fit ({next(iter(str(error).splitlines()), '')[:200]})") from error


def check_state(network: nn.Module, state: Any, where: str) -> None:
    """A state dict fits a network, which may be on no device, and holds finite numbers.

    Raises:
        UserError: as `load_into`.
    """
    check_shapes(network, state, where)
    for name, value in state.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise UserError(f"{where}: {name} holds NaN or infinity; the training that wrote it went wrong")


def check_shapes(network: nn.Module, state: Any, where: str) -> None:
    """A state dict has a plain tensor of the right shape and kind for each of the network's, and no other.

    Raises:
        UserError: as `load_into`, but for values that are not finite.
    """
    if not isinstance(state, Mapping):
        raise UserError(f"{where}: holds a {type(state).__name__} where a dictionary of tensors must be")
    # Shapes first: a few bytes can stand for a tensor of any size.
    own = network.state_dict()
    expected = {name: value for name, value in own.items() if isinstance(value, Tensor)}
    for name, value in expected.items():
        if name not in state:
            # Files from before torch 0.4.1 do not count batches.
            if name.endswith("num_batches_tracked"):
                continue
            raise UserError(f"{where}: does not fit, it has no {name} {tuple(value.shape)}")
        found = state[name]
        if not isinstance(found, Tensor) or found.layout != torch.strided or found.is_meta or found.is_quantized:
            raise UserError(f"{where}: {name} is no plain tensor")
        if found.shape != value.shape:
            raise UserError(
                f"{where}: does not fit, {name} has the shape {tuple(found.shape)} and not {tuple(value.shape)}"
            )
        if value.is_floating_point() != found.is_floating_point():
            raise UserError(f"{where}: {name} is of type {found.dtype}, not {value.dtype}")
    if unknown := next((name for name in state if name not in own), None):
        raise UserError(f"{where}: does not fit, the network has no {cut(unknown)}")
