"""Balanced sampling: tag sets that are rare are seen more often, so that a class that seldom stands alone does so."""

import torch
from torch import Tensor


def balanced_order(tags: Tensor, balance: float, generator: torch.Generator) -> list[int]:
    """The images of an epoch, each with a weight of (1 / frequency of its tag set)^balance.

    Systematic sampling (Madow 1949) over the images in random order, tag set by tag set: the draws of an image, and
    those of a tag set, differ from their expectation by less than 1.

    Args:
        tags: [N, K], N ≥ 1.
        balance: 0 draws each image once, 1 each tag set equally often.
        generator: of the order and of the draws.

    Returns:
        N numbers in random order: i + d·N is the draw d of image i, counted from 0. With a balance of 0, the
        permutation that the generator draws first.
    """
    count = len(tags)
    order = torch.randperm(count, generator=generator)
    if balance == 0:
        return order.tolist()
    _, tag_set, size = torch.unique(tags, dim=0, return_inverse=True, return_counts=True)
    order = order[tag_set[order].argsort(stable=True)]
    weight = (count / size.double()[tag_set[order]]) ** balance
    end = (weight * (count / weight.sum())).cumsum(0)
    start = torch.rand((), generator=generator, dtype=torch.float64)
    # Rounding may end the sum a little before N.
    place = torch.searchsorted(end, torch.arange(count) + start, right=True).clamp_max(count - 1)
    draw = torch.arange(count) - torch.searchsorted(place, place)
    numbers = order[place] + draw * count
    # The draws of an image lie side by side so far.
    return numbers[torch.randperm(count, generator=generator)].tolist()
