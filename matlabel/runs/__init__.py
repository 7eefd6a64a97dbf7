"""Planning: (variant, random seed, stage) -> key, key -> inputs and paths. Imports no torch."""

from importlib import import_module
from typing import Any

__all__ = ["Plan"]


def __getattr__(name: str) -> Any:
    # On demand: a job, and `--help`, need no plan, and to import it takes longer than all else of theirs.
    if name == "Plan":
        return import_module("matlabel.runs.plan").Plan
    raise AttributeError(f"module {__name__} has no attribute {name}")
