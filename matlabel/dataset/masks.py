"""Checks of true masks against classes.txt and the tags before anything is computed: one line a kind of problem."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from matlabel.artifacts.label_image import VOID
from matlabel.artifacts.naming import some
from matlabel.dataset.mask_facts import Facts, Pair, wrong_values
from matlabel.dataset.mask_order import order_by_tags

# More masks than this share of which something is wrong are no odd ones: it is wrong with all.
_MANY = 0.5
_NEARLY_ALL = 0.9
_FEWEST = 4
# Share of masks that contradict their tags, from which on values 1, 2, … are taken for numbers of objects.
_SOME = 0.3


@dataclass
class MaskReport:
    """Problems and notes on the true masks of a data set.

    Attributes:
        unusable: ids of images whose mask cannot be used.
        errors: a line for each kind of what is wrong.
        notes: a line for each kind of what is odd.
        by_index: whether the tags say that palettes of VOC's colours are to be read by index all the same.
    """

    unusable: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    by_index: bool = False


@dataclass(frozen=True)
class _Mask:
    """The label values in a readable mask, without background and void, and its image's tags."""

    id: str
    tags: set[int]
    shown: set[int]
    values: tuple[int, ...]


def check_masks(pairs: Sequence[Pair], facts: Sequence[Facts], classes: list[str], folder: Path) -> MaskReport:
    """Say what is wrong and what is odd, a line a kind with a count and three examples.

    Args:
        pairs, facts: of every mask.
        classes: the class names.
        folder: masks/, for the messages.
    """
    report = MaskReport()
    known = [(pair, fact) for pair, fact in zip(pairs, facts, strict=True) if fact.values or fact.problem]

    def line(found: list[str], what: str) -> str:
        return f"{folder}: {len(found)} of {len(pairs)} masks {what}: {some(found)}"

    for problem, what in (
        ("unreadable", "cannot be read; write them again, as palette or grey PNG of label values"),
        ("size", "are not of the size of their photograph, turned upright as its EXIF says"),
    ):
        of_kind = [(pair, fact) for pair, fact in known if fact.problem == problem]
        report.unusable |= {pair.id for pair, _ in of_kind}
        if of_kind:
            report.errors.append(line([f"{pair.id} ({fact.detail})" for pair, fact in of_kind], what))
    known = [(pair, fact) for pair, fact in known if not fact.problem]
    known = _read_one_way(report, known, line)
    if wrong := [(pair, fact) for pair, fact in known if wrong_values(fact.values, len(classes))]:
        report.unusable |= {pair.id for pair, _ in wrong}
        what = f"hold other values than 0 to {len(classes)} and 255 (void)"
        objects = ", as numbers of objects do" if _are_numbers([set(fact.values) for _, fact in wrong]) else ""
        found = [f"{pair.id} ({wrong_values(fact.values, len(classes))})" for pair, fact in wrong]
        report.errors.append(line(found, what + objects))
    masks = [
        _Mask(pair.id, set(pair.tags), set(fact.values) - {0, VOID}, fact.values)
        for pair, fact in known
        if pair.id not in report.unusable
    ]
    _hold_against_tags(report, masks, classes, line)
    if turned := [pair.id for pair, fact in known if fact.turned]:
        what = "belong to photographs that are stored turned; they are taken as drawn on the upright picture"
        report.notes.append(line(turned, what))
    return report


def _read_one_way(
    report: MaskReport, known: list[tuple[Pair, Facts]], line: Callable[[list[str], str], str]
) -> list[tuple[Pair, Facts]]:
    """Palettes of VOC's colours in another order, all by colour or, where the tags agree better with it, by index."""
    sorted_ones = [(pair, fact) for pair, fact in known if fact.indices]
    if not sorted_ones:
        return known
    objects = {0, VOID}
    by_colour, by_index = (
        sum(set(values) - objects != set(pair.tags) for pair, values in readings)
        for readings in (
            [(pair, fact.values) for pair, fact in sorted_ones],
            [(pair, fact.indices) for pair, fact in sorted_ones],
        )
    )
    report.by_index = by_index < by_colour
    how = "by index, as the tags say" if report.by_index else "by colour"
    names = [pair.id for pair, _ in sorted_ones]
    report.notes.append(line(names, f"have VOC's colours in another order, and are read {how}"))
    if not report.by_index:
        return known
    return [(pair, replace(fact, values=fact.indices) if fact.indices else fact) for pair, fact in known]


def _hold_against_tags(
    report: MaskReport, masks: list[_Mask], classes: list[str], line: Callable[[list[str], str], str]
) -> None:
    tagged, untagged = [mask for mask in masks if mask.tags], [mask for mask in masks if not mask.tags]
    only_void = [mask.id for mask in tagged if not mask.shown and VOID in mask.values]
    contrary = [mask.id for mask in tagged if not mask.shown & mask.tags]
    unequal = [mask.id for mask in tagged if mask.shown != mask.tags]
    filled = [mask.id for mask in untagged if mask.shown]
    without_background = [mask.id for mask in masks if 0 not in mask.values and VOID in mask.values]
    errors = []
    if _wrong_with_all(only_void, tagged, _MANY):
        what = "hold 255 beside nothing but 0, though their images are tagged; 255 is void and never counts: write the "
        errors.append(line(only_void, f"{what}label value of the class (1 is {classes[0]})"))
    elif _wrong_with_all(without_background, masks, _NEARLY_ALL):
        what = "hold 255 and no 0; background is 0, and 255 is void, which never counts"
        errors.append(line(without_background, what))
    elif order := order_by_tags([(tuple(mask.tags), mask.values) for mask in tagged], classes):
        errors.append(f"{line(unequal, 'show other classes than those of their tags')}; {order}")
    elif _wrong_with_all(contrary, tagged, _MANY):
        what = "show none of the classes that their images are tagged with; do the masks belong to these images, and is"
        errors.append(line(contrary, f"{what} value 1 the first line of classes.txt?"))
    elif _wrong_with_all(unequal, tagged, _SOME) and _are_numbers([mask.shown for mask in tagged if mask.shown]):
        what = "show other classes than those of their tags, and all hold values from 1 on, as numbers of objects do; "
        errors.append(line(unequal, f"{what}write the label value of the class"))
    elif _wrong_with_all(unequal, tagged, _SOME) and len({frozenset(mask.shown) for mask in masks}) == 1:
        errors.append(line(unequal, "contradict their tags, as all masks show the same classes; is 0 background?"))
    elif _wrong_with_all(unequal, tagged, _NEARLY_ALL):
        what = "show more or other classes than those of their tags, or lack some; is value 1 the first line of "
        errors.append(line(unequal, f"{what}classes.txt, and 0 background?"))
    if not errors and _wrong_with_all(filled, untagged, _MANY):
        errors.append(line(filled, "show a class, though their images are tagged with none; is 0 background?"))
    report.errors += errors
    if errors:
        return
    if only_void:
        report.notes.append(line(only_void, "hold 255 (void) beside nothing but 0, though their images are tagged"))
    named = [mask for mask in masks if mask.id not in only_void]
    if unseen := _named(named, classes, lambda mask: mask.tags - mask.shown):
        report.notes.append(line(unseen, "lack a class that their image is tagged with"))
    if more := _named(named, classes, lambda mask: mask.shown - mask.tags):
        report.notes.append(line(more, "show a class that their image is not tagged with"))


def _wrong_with_all(found: list[str], masks: list[_Mask], share: float) -> bool:
    return len(found) >= _FEWEST and len(found) > share * len(masks)


def _named(masks: list[_Mask], classes: list[str], wanted: Callable[[_Mask], set[int]]) -> list[str]:
    found = [(mask.id, sorted(wanted(mask))) for mask in masks]
    return [f"{image} ({', '.join(classes[value - 1] for value in values)})" for image, values in found if values]


def _are_numbers(shown: list[set[int]]) -> bool:
    """Whether nearly all masks hold 1, 2, … without a gap, and several have more than 1, as instance masks do."""
    objects = [values - {0, VOID} for values in shown]
    counted = [values for values in objects if values == set(range(1, len(values) + 1))]
    several = [values for values in counted if len(values) > 1]
    return len(counted) > _NEARLY_ALL * len(objects) and len(several) >= min(2, len(objects))
