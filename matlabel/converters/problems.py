"""Problems of many files, summed up as one line a kind."""

import re

from matlabel.artifacts.naming import some


class Problems:
    """Collects messages; those that differ only in their numbers are of one kind."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[str, list[str]]] = {}

    def add(self, name: str, message: str) -> None:
        """Add a file's name and what is wrong with it."""
        kind = re.sub(r"\d[\d.e+-]*", "#", message)
        self._kinds.setdefault(kind, (message[:300], []))[1].append(name)

    def __len__(self) -> int:
        return sum(len(names) for _, names in self._kinds.values())

    def lines(self) -> list[str]:
        """A line a kind, the most frequent first: its first message, how many there are, and three of them."""
        kinds = sorted(self._kinds.values(), key=lambda kind: -len(kind[1]))
        return [_line(message, names) for message, names in kinds]


def _line(message: str, names: list[str]) -> str:
    if len(names) == 1:
        return f"{names[0]}: {message}"
    return f"{names[0]}: {message}; likewise {some(names[1:])}"
