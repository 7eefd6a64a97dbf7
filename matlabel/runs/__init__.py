"""What the workflow would do: (variant, seed, stage) -> key, key -> inputs and paths. Imports no torch."""

from matlabel.runs.plan import Plan

__all__ = ["Plan"]
