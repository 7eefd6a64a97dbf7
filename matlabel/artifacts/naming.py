"""Shortened lists of names for messages."""

from collections.abc import Sequence

SHOWN = 3


def some(names: Sequence[str], shown: int = SHOWN) -> str:
    """The first few names, and how many more there are: 'a, b, c and 4 more'."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
