"""Weights as plain state dicts: equal tensors give equal bytes, and loading never unpickles code."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from matlabel.artifacts.atomic import write_bytes
from matlabel.artifacts.errors import UserError, cut
from matlabel.artifacts.reading import read_bytes
from matlabel.settings.base import Settings

Model = TypeVar("Model", bound=Settings)


def save_weights(path: str | Path, content: dict) -> None:
    """Write nested dicts of tensors, numbers and strings, atomically.

    Serialised through memory: `torch.save` to a path would put the file's name into the bytes.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_bytes(path, buffer.getvalue())


def load_weights(path: str | Path) -> dict:
    """Read what `save_weights` wrote, or any plain state dict, onto the CPU.

    Raises:
        UserError: no regular file, empty, damaged, holding more than tensors and plain values, or no dictionary.
    """
    # A pipe would keep torch waiting.
    data = read_bytes(path)
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


def recorded_settings(path: str | Path, content: Mapping[str, Any], model: type[Model]) -> tuple[list[str], Model]:
    """The class names and the settings that a training has written beside its weights.

    Args:
        path: of the file, for messages.
        content: what is in it.
        model: of the settings.

    Raises:
        UserError: they are none, or of another version.
    """
    classes, text = content.get("classes"), content.get("settings")
    named = isinstance(classes, list) and classes and all(isinstance(name, str) for name in classes)
    # Labels are bytes, of which 255 is void.
    if not named or len(classes) > 254 or not isinstance(text, str):
        raise UserError(f"{path}: its classes or settings are not those that a training writes")
    try:
        return classes, model.model_validate(json.loads(text))
    except (ValueError, RecursionError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: made with settings that this version does not know ({reason:.200})") from error


def load_into(network: nn.Module, state: Any, where: str) -> None:
    """Load a state dict, whose tensors must be all that the network has, of its shapes, and finite.

    Args:
        network: what it holds is undefined after an error.
        state: name -> tensor.
        where: start of the message.

    Raises:
        UserError: it does not fit; the message names the first tensor that does not.
    """
    check_shapes(network, state, where)
    try:
        network.load_state_dict(dict(state))
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{where}: does not fit ({next(iter(str(error).splitlines()), '')[:200]})") from error
    for name, value in network.state_dict().items():
        if isinstance(value, Tensor) and value.is_floating_point() and not bool(torch.isfinite(value).all()):
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
