"""Pixel-accurate segmentation labels from image-level tags: class activations, trimaps, image matting.

The workflow needs none of this module; it is the door for notebooks. What it names is imported when it is first used.

- `matte`: an image and its trimap to its alpha.
- `open_shard`: read what a stage has left.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matlabel.artifacts.shard import open_shard
    from matlabel.mattes.matte import matte

__all__ = ["matte", "open_shard"]

_FROM = {"matte": "matlabel.mattes.matte", "open_shard": "matlabel.artifacts.shard"}


def __getattr__(name: str) -> Any:
    if name not in _FROM:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(_FROM[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_FROM]
