"""The leftovers as a list with sizes and a total."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from matlabel.artifacts.naming import some
from matlabel.inspection.clean import Leftover
from matlabel.inspection.readable import size_text

_ROW = "  {:<58} {:>9}  {}"
_TITLES = {
    "artifacts": "Artifacts that the config does not lead to",
    "checkpoint": "Checkpoints of trainings that finished",
    "temporary": "Files half written, long ago",
    "driver": "Lists, manifests and code files that nothing refers to any more",
    "link": "Links to these, or to nothing",
    "kept": "Artifacts that stay, as something beside them is not matlabel's: move it elsewhere and clean again",
}


def clean_text(found: Sequence[Leftover], directory: Path) -> str:
    """A block for each kind, a line each with its size and when it was last written; the total at the end."""
    return "\n".join(_lines(found, directory))


def _lines(found: Sequence[Leftover], directory: Path) -> Iterator[str]:
    root = (directory / "results").resolve()
    for what, title in _TITLES.items():
        items = [leftover for leftover in found if leftover.what == what]
        if items:
            yield title
        for item in items:
            name = str(Path("results") / item.path.relative_to(root))
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(item.written))
            yield _ROW.format(name, "" if what == "link" else size_text(item.size), when)
            if item.strangers:
                yield f"    {some(list(item.strangers))}"
    going = [leftover for leftover in found if leftover.what != "kept"]
    yield f"In all {size_text(sum(leftover.size for leftover in going))}." if going else "Nothing to clean."
