"""Weights as safetensors: equal tensors give equal bytes, and what is read is numbers and text, never code."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
import torch
from pydantic import BaseModel
from torch import Tensor

from matlabel.artifacts.atomic import write_bytes
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.reading import read_bytes

Model = TypeVar("Model", bound=BaseModel)
_NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


@dataclass(frozen=True)
class Weights:
    """Tensors by name, and the file's metadata: text by name."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]


def save_weights(path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write CPU tensors and their metadata atomically.

    Written here and not by the library, which puts the metadata in another order each time.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt", **metadata}}
    chunks, end = [], 0
    # The largest numbers first, so that each lies at a multiple of its size.
    for name in sorted(tensors, key=lambda name: (-tensors[name].element_size(), name)):
        tensor = tensors[name].detach().contiguous()
        data = tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        header[name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [end, end + len(data)],
        }
        chunks.append(data)
        end += len(data)
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    write_bytes(path, b"".join([len(text).to_bytes(8, "little"), text, *chunks]))


def is_safetensors(data: bytes) -> bool:
    """Whether a file begins like a safetensors file."""
    return data[8:9] == b"{"


def load_weights(path: str | Path) -> Weights:
    """Read a safetensors file onto the CPU.

    Raises:
        UserError: no regular file, empty, damaged or of another format.
    """
    # A pipe would be waited for.
    return parsed(path, read_bytes(path))


def parsed(path: str | Path, data: bytes) -> Weights:
    """Parse the bytes of a safetensors file.

    Args:
        path: of the file, for messages.
        data: its bytes.

    Raises:
        UserError: damaged or of another format.
    """
    if not data:
        raise UserError(f"{path}: is empty; it must hold weights as safetensors")
    try:
        tensors = safetensors.torch.load(data)
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__") or {}
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes come as any type
        raise UserError(f"{path}: not weights as safetensors: damaged, or of another format") from error
    return Weights(tensors, metadata)


def ours(path: str | Path, weights: Weights, stage: str) -> list[str]:
    """The class names in a weights file that matlabel has trained.

    Args:
        path: of the file, for messages.
        weights: its content.
        stage: cam or segmenter.

    Raises:
        UserError: not of this stage, or with other things for class names.
    """
    if weights.metadata.get("stage") != stage:
        raise UserError(f"{path}: not the weights of a training of ours (model.safetensors of the stage {stage})")
    try:
        classes = json.loads(weights.metadata.get("classes", ""))
    except (ValueError, RecursionError):
        classes = None
    named = isinstance(classes, list) and classes and all(isinstance(name, str) for name in classes)
    # Labels are bytes, of which 255 is void.
    if not named or len(classes) > 254:
        raise UserError(f"{path}: its classes are not those that a training writes")
    return classes


def recorded_settings(path: str | Path, weights: Weights, model: type[Model]) -> Model:
    """The settings that a training has written beside its weights.

    Args:
        path: of the file, for messages.
        weights: its content.
        model: of the settings.

    Raises:
        UserError: they are none, or of another version.
    """
    try:
        return model.model_validate(json.loads(weights.metadata.get("settings", "")))
    except (ValueError, RecursionError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: made with settings that this version does not know ({reason:.200})") from error
