"""Batches of equally sized images of a shard, and their results put back into slot order."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from matlabel.dataset.manifest import Entry, ShardManifest

Result = TypeVar("Result")


def in_slot_order(
    shard: ShardManifest, compute: Callable[[list[Entry]], list[Result]], batch_size: int
) -> Iterator[tuple[Entry, Result]]:
    """Compute images of equal size together and yield (entry, result) in slot order.

    Args:
        shard: whose images.
        compute: a batch of entries of one size -> a result each.
        batch_size: at most so many at once.
    """
    by_size: dict[tuple[int, int], list[Entry]] = {}
    for entry in shard.entries:
        by_size.setdefault(shard.sizes[entry.id], []).append(entry)
    batches = [
        group[first : first + batch_size] for group in by_size.values() for first in range(0, len(group), batch_size)
    ]
    # The batch whose first image comes first goes first: the fewer results wait, the less memory they take.
    batches.sort(key=lambda batch: batch[0].slot)
    order = iter(shard.entries)
    following = next(order, None)
    waiting: dict[str, Result] = {}
    for batch in batches:
        waiting.update(zip((entry.id for entry in batch), compute(batch), strict=True))
        while following is not None and following.id in waiting:
            yield following, waiting.pop(following.id)
            following = next(order, None)
