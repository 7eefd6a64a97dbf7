"""True masks held against their photographs, classes.txt and the tags, before anything is computed."""

import csv
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, field
from pathlib import Path

import numpy as np

from matlabel.artifacts.atomic import write_text
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import VOID, label_values
from matlabel.artifacts.naming import some
from matlabel.artifacts.picture import PHOTOGRAPHS, WrongSizeError, orientation_of
from matlabel.artifacts.reading import read_bytes
from matlabel.dataset.mask_order import order_by_tags

# More masks than this share that show none of their tags are no odd ones: something is wrong with all.
_MANY = 0.5
_FEWEST = 3
_THREADS = 4
# Of what is remembered: another one is read anew.
_FORMAT = "1"


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
    """What a mask holds, without regard to the tags.

    Attributes:
        problem: why it cannot be used: unreadable, size, values; else "".
        detail: more of that.
        values: label values that occur, ascending.
        by_colour: whether they were read by the colours of the palette.
        turned: whether the photograph is stored turned, in a way that the size does not show.
    """

    problem: str = ""
    detail: str = ""
    values: tuple[int, ...] = ()
    by_colour: bool = False
    turned: bool = False


@dataclass
class MaskReport:
    """What was found.

    Attributes:
        unusable: ids of images whose mask cannot be used.
        errors: a line for each kind of what is wrong.
        notes: a line for each kind of what is odd.
    """

    unusable: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class MaskIndex:
    """Remembers the facts of a mask between scans by the digest of the pair: a CSV beside the manifest."""

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
            self._known.update(
                zip((p.digest for p in new), pool.map(lambda p: read_facts(p, classes, max_pixels), new), strict=True)
            )
        self._seen = {pair.digest: self._known[pair.digest] for pair in pairs}
        return [self._seen[pair.digest] for pair in pairs]

    def save(self) -> None:
        """Write what was seen."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([_FORMAT])
        for digest, facts in self._seen.items():
            if facts.problem == "unreadable" or not (facts.problem or facts.values):
                continue  # a disk that failed once may not another time
            problem, detail, values, *flags = astuple(facts)
            writer.writerow([digest, problem, detail, " ".join(map(str, values)), *map(int, flags)])
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
        labels, by_colour = label_values(read_bytes(pair.mask), classes, size)
    except WrongSizeError as error:
        swapped = ", its sides swapped" if error.size == size[::-1] else ""
        return Facts("size", f"{error.size[1]} × {error.size[0]}, not {size[1]} × {size[0]}{swapped}")
    except (UserError, ValueError) as error:
        return Facts("unreadable", str(error).removeprefix(f"{pair.mask}: "))
    values = tuple(map(int, np.unique(labels)))
    turned = orientation in (2, 3, 4) or (orientation > 4 and size[0] == size[1])
    wrong = [value for value in values if classes < value < VOID]
    if wrong:
        return Facts("values", some([str(value) for value in wrong]), values, by_colour, turned)
    return Facts("", "", values, by_colour, turned)


def check_masks(pairs: Sequence[Pair], facts: Sequence[Facts], classes: list[str], folder: Path) -> MaskReport:
    """Say what is wrong and what is odd, a line a kind with a count and three examples.

    Args:
        pairs, facts: of every mask.
        classes: the class names.
        folder: masks/, for the messages.
    """
    report = MaskReport()
    if not pairs:
        return report
    known = [(pair, fact) for pair, fact in zip(pairs, facts, strict=True) if fact.values or fact.problem]

    def line(found: list[str], what: str) -> str:
        return f"{folder}: {len(found)} of {len(pairs)} masks {what}: {some(found)}"

    for problem, what in (
        ("unreadable", "cannot be read; write them again, as palette or grey PNG of label values"),
        ("size", "are not of the size of their photograph, turned upright as its EXIF says"),
        ("values", f"hold other values than 0 to {len(classes)} and 255 (void)"),
    ):
        of_kind = [(pair, fact) for pair, fact in known if fact.problem == problem]
        report.unusable |= {pair.id for pair, _ in of_kind}
        if of_kind:
            hint = _instances([fact for _, fact in of_kind]) if problem == "values" else ""
            report.errors.append(line([f"{pair.id} ({fact.detail})" for pair, fact in of_kind], what + hint))
    _hold_against_tags(report, known, classes, line)
    if colours := [pair.id for pair, fact in known if fact.by_colour]:
        report.notes.append(line(colours, "have VOC's colours in another order, and are read by colour"))
    if turned := [pair.id for pair, fact in known if fact.turned]:
        what = "belong to photographs that are stored turned; they are taken as drawn on the upright picture"
        report.notes.append(line(turned, what))
    return report


def _hold_against_tags(report: MaskReport, known: list[tuple[Pair, Facts]], classes: list[str], line) -> None:
    tagged = [(pair, set(fact.values) - {0, VOID}, fact) for pair, fact in known if pair.tags and not fact.problem]
    contrary = [pair.id for pair, shown, _ in tagged if not shown & set(pair.tags)]
    only_void = [pair.id for pair, shown, fact in tagged if not shown and VOID in fact.values]
    order = order_by_tags([(pair.tags, fact.values) for pair, _, fact in tagged], classes)
    many = len(tagged) >= _FEWEST and len(contrary) > _MANY * len(tagged)
    if only_void:
        text = line(
            only_void,
            "hold 255 beside nothing but 0, though their images are tagged; 255 is void and never counts: write the "
            f"label value of the class (1 is {classes[0]})",
        )
        (report.errors if len(only_void) > _MANY * len(tagged) else report.notes).append(text)
    if order:
        wrong = [pair.id for pair, shown, _ in tagged if shown != set(pair.tags)]
        report.errors.append(f"{line(wrong, 'show other classes than those of their tags')}; {order}")
    elif many and len(only_void) <= _MANY * len(tagged):
        report.errors.append(
            line(
                contrary,
                "show none of the classes that their images are tagged with; do the masks belong to these images, and "
                "is value 1 the first line of classes.txt?",
            )
        )
    else:
        unseen = _named(
            [row for row in tagged if row[0].id not in only_void], classes, lambda tags, shown: tags - shown
        )
        untagged = _named(tagged, classes, lambda tags, shown: {v for v in shown - tags if v <= len(classes)})
        if unseen:
            report.notes.append(line(unseen, "lack a class that their image is tagged with"))
        if untagged:
            report.notes.append(line(untagged, "show a class that their image is not tagged with"))


def _named(tagged, classes: list[str], wanted) -> list[str]:
    found = [(pair.id, wanted(set(pair.tags), shown)) for pair, shown, _ in tagged]
    return [f"{image} ({', '.join(classes[v - 1] for v in sorted(values))})" for image, values in found if values]


def _instances(facts: list[Facts]) -> str:
    """A guess at what values that are no classes are."""
    objects = [set(fact.values) - {0, VOID} for fact in facts]
    counted = [values for values in objects if values == set(range(1, len(values) + 1))]
    return ", as masks of single objects do" if len(counted) > _MANY * len(objects) else ""


def _facts(row: list[str]) -> Facts:
    problem, detail, values, by_colour, turned = row
    return Facts(problem, detail, tuple(map(int, values.split())), by_colour == "1", turned == "1")
