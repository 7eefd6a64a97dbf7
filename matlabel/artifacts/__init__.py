"""What every stage shares about files: shards, label images, atomic writes, provenance.

`open_shard` is the reader for notebooks: `with matlabel.artifacts.open_shard(path) as shard: shard["id"]["labels"]`.
"""

from importlib import import_module
from typing import Any

__all__ = ["open_shard"]


def __getattr__(name: str) -> Any:
    # On demand and by name: whoever needs another file of this folder neither loads h5py nor depends on shards.
    if name == "open_shard":
        return import_module("matlabel.artifacts.shard").open_shard
    raise AttributeError(f"module {__name__} has no attribute {name}")
