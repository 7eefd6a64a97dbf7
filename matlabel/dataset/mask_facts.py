"""Values and problems of each true mask, regardless of tags: read once and cached."""

import csv
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from matlabel.artifacts.atomic import write_text
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import VOID, label_values
from matlabel.artifacts.naming import some
from matlabel.artifacts.picture import PHOTOGRAPHS, WrongSizeError, orientation_of
from matlabel.artifacts.reading import read_bytes

_THREADS = 4
# Of what is remembered: another one is read anew.
_FORMAT = "2"


@dataclass(frozen=True)
class Pair:
    """A photograph and its mask.

    Attributes:
        id: of the image.
        tags: label values of its tags, 1..K.
        photograph, mask: where they lie.
        digest: of the bytes of both.
    """

    id: str
    tags: tuple[int, ...]
    photograph: Path
    mask: Path
    digest: str


@dataclass(frozen=True)
class Facts:
    """The values in a mask, or why it cannot be read.

    Attributes:
        problem: why it cannot be used: unreadable, size, palette; else "".
        detail: more of that.
        values: label values that occur, ascending; by colour where the palette is VOC's in another order.
        indices: the values of the same by index, where they were read by colour.
        turned: whether the photograph is stored turned, in a way that the size does not show.
    """

    problem: str = ""
    detail: str = ""
    values: tuple[int, ...] = ()
    indices: tuple[int, ...] = ()
    turned: bool = False


class MaskIndex:
    """A CSV cache of each mask's facts between scans, keyed by the digest of photograph and mask."""

    def __init__(self, cache: Path):
        self._cache = cache
        self._known: dict[str, Facts] = {}
        self._seen: dict[str, Facts] = {}
        try:
            (form, *_), *rows = csv.reader(io.StringIO(cache.read_text(encoding="utf-8"), newline=""))
            self._known = {row[0]: _facts(row[1:]) for row in rows} if form == _FORMAT else {}
        except (OSError, ValueError, IndexError, csv.Error):
            pass  # read anew

    def facts(self, pairs: Sequence[Pair], classes: int, max_pixels: int) -> list[Facts]:
        """The facts of every pair; those that are not known are read, several at a time."""
        new = [pair for pair in pairs if pair.digest not in self._known]
        with ThreadPoolExecutor(_THREADS) as pool:
            read = pool.map(lambda pair: read_facts(pair, classes, max_pixels), new)
            self._known.update(zip((pair.digest for pair in new), read, strict=True))
        self._seen = {pair.digest: self._known[pair.digest] for pair in pairs}
        return [self._seen[pair.digest] for pair in pairs]

    def save(self) -> None:
        """Write the facts of this scan."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([_FORMAT])
        for digest, facts in self._seen.items():
            if facts.problem == "unreadable" or not (facts.problem or facts.values):
                continue  # a disk that failed once may not another time
            problem, detail, values, indices, turned = astuple(facts)
            written = [" ".join(map(str, numbers)) for numbers in (values, indices)]
            writer.writerow([digest, problem, detail, *written, int(turned)])
        if not self._cache.exists() or self._cache.read_text(encoding="utf-8") != out.getvalue():
            write_text(self._cache, out.getvalue())


def read_facts(pair: Pair, classes: int, max_pixels: int) -> Facts:
    """Open a photograph's header and its mask.

    Args:
        pair: the two.
        classes: number K of classes.
        max_pixels: of a photograph that takes part.
    """
    try:
        size, orientation = orientation_of(read_bytes(pair.photograph), PHOTOGRAPHS)
    except (UserError, ValueError):
        return Facts()  # of a photograph that is rejected no mask matters
    if size[0] * size[1] > max_pixels:
        return Facts()
    try:
        data = read_bytes(pair.mask)
        labels, by_colour = label_values(data, classes, size)
        indices = label_values(data, classes, size, by_index=True)[0] if by_colour else np.zeros(0, np.uint8)
    except WrongSizeError as error:
        swapped = ", its sides swapped" if error.size == size[::-1] else ""
        return Facts("size", f"{error.size[1]} × {error.size[0]}, not {size[1]} × {size[0]}{swapped}")
    except (UserError, ValueError) as error:
        return Facts("unreadable", str(error).removeprefix(f"{pair.mask}: "))
    turned = orientation in (2, 3, 4) or (orientation > 4 and size[0] == size[1])
    return Facts("", "", _occurring(labels), _occurring(indices), turned)


def wrong_values(values: Sequence[int], classes: int) -> str:
    """The values that are neither a class nor void, for a message; "" for none."""
    return some([str(value) for value in values if classes < value < VOID])


def _occurring(labels: np.ndarray) -> tuple[int, ...]:
    return tuple(map(int, np.unique(labels)))


def _facts(row: list[str]) -> Facts:
    problem, detail, values, indices, turned = row
    return Facts(problem, detail, tuple(map(int, values.split())), tuple(map(int, indices.split())), turned == "1")
