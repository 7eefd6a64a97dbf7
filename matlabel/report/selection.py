"""Which images the gallery shows: the worst, median and best, and a fixed sample across the data."""

from collections.abc import Sequence


def select(ids: Sequence[str], scores: Sequence[float | None], number: int) -> list[tuple[str, str]]:
    """Choose images to show.

    Half of them are evenly spaced over the data, so the same for all variants; the others are chosen by score, in equal
    parts from the top, the middle and the bottom. Where nothing is scored, all are evenly spaced.

    Args:
        ids: images in manifest order.
        scores: of each, None where there is none.
        number: how many to choose.

    Returns:
        (id, why) of at most `number` different images; why is "best", "median", "worst" or "".
    """
    if number <= 0:
        return []
    scored = sorted((score, place) for place, score in enumerate(scores) if score is not None)
    ranked = [ids[place] for _, place in scored]
    part = min(max(1, number // 6), len(ranked)) if number >= 3 else 0
    middle = max(0, (len(ranked) - part) // 2)
    chosen: dict[str, str] = {}
    for why, group in (
        ("best", ranked[::-1][:part]),
        ("median", ranked[middle : middle + part]),
        ("worst", ranked[:part]),
    ):
        for image_id in group:
            chosen.setdefault(image_id, why)
    for image_id in evenly_spaced(ids, number - len(chosen)):
        chosen.setdefault(image_id, "")
    return list(chosen.items())


def evenly_spaced(items: Sequence[str], number: int) -> list[str]:
    """At most `number` items from the first to the last, at equal distances."""
    if number <= 0 or not items:
        return []
    if number >= len(items):
        return list(items)
    if number == 1:
        return [items[0]]
    return [items[place * (len(items) - 1) // (number - 1)] for place in range(number)]
