"""What stands in scores.json of the stage evaluation, for whoever shows it."""

from collections.abc import Mapping
from typing import Any


def score(scores: Mapping[str, Any], *path: str) -> Any:
    """A score by its path; None where it, or a section above it, is missing."""
    found: Any = scores
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
