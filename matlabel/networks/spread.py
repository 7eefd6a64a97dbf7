"""Spreading: a random walk between pixels that belong together carries activation to the rest of an object."""

from collections.abc import Callable

from torch import Tensor

Walk = Callable[[Tensor], Tensor]

# Of its former range: where a walk leaves a plane less, it has mixed all of it, and what differs is rounding.
LEAST = 1e-3


def spread(probabilities: Tensor, walk: Walk, steps: int) -> Tensor:
    """Walk `steps` steps, then give every class back the peak it had.

    A walk averages, so that small objects fade; each class is rescaled to its former range and the rest renormalised.

    Args:
        probabilities: A, float32[..., C + 1, h, w], background first, on the grid of `walk`. Planes that are 0
            everywhere stay so: images of a batch may be filled up with them.
        walk: planes -> planes, one step A ← T A.
        steps: how far.

    Returns:
        the same shape, summing to one per pixel.
    """
    low, high = probabilities.amin((-2, -1), keepdim=True), probabilities.amax((-2, -1), keepdim=True)
    planes = probabilities
    for _ in range(steps):
        planes = walk(planes)
    least, most = planes.amin((-2, -1), keepdim=True), planes.amax((-2, -1), keepdim=True)
    range_ = (most - least).maximum(LEAST * (high - low)).clamp_min(1e-5)
    planes = (planes - least) / range_ * (high - low) + low
    return planes / planes.sum(-3, keepdim=True).clamp_min(1e-5)
