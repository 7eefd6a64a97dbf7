"""Weights as plain state dicts: equal tensors give equal bytes, and loading never unpickles code."""

import io
import pickle
from pathlib import Path

import torch

from matlabel.artifacts.atomic import write_bytes
from matlabel.artifacts.errors import UserError


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
        UserError: missing, damaged, or holding more than tensors and plain values.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such weights file") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, KeyError) as error:
        raise UserError(f"{path}: not a plain torch state dict ({str(error).splitlines()[0]})") from error
