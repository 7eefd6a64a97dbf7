"""What stands in scores.json of the stage evaluation, for whoever shows it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def score(scores: Mapping[str, Any], *path: str) -> Any:
    """A score by its path; None where it, or a section above it, is missing."""
    found: Any = scores
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def warnings_of(path: Path, name: str) -> list[str]:
    """The warnings of a scores.json, a line each that begins with `name`; none where there is no such file."""
    if not path.exists():
        return []
    return [f"{name}: {text}" for text in json.loads(path.read_text()).get("warnings", [])]
