"""Pairs of near pixels, a shift at a time: whatever is computed over them stays linear in the number of pixels."""

from functools import cache

from torch import Tensor

Shift = tuple[int, int]


@cache
def half_disc(radius: int) -> tuple[Shift, ...]:
    """The shifts (down, right) to neighbours at most `radius` away, one of each two that are opposite, without (0, 0).

    Every unordered pair of near pixels is met at exactly one of them.
    """
    return tuple(
        (down, right)
        for down in range(radius + 1)
        for right in range(-radius, radius + 1)
        if 0 < down * down + right * right <= radius * radius and (down > 0 or right > 0)
    )


def pairs(planes: Tensor, shift: Shift) -> tuple[Tensor, Tensor]:
    """The two ends of all pairs at one shift: views of planes[..., h, w] without the pixels that have no partner.

    Args:
        planes: of any type; pixel (y, x) of the first view pairs with (y + down, x + right) of the planes.
        shift: (down, right), down ≥ 0.

    Returns:
        two views [..., h − down, w − |right|]; empty where the shift is larger than the planes.
    """
    down, right = shift
    height, width = planes.shape[-2:]
    rows, columns = max(height - down, 0), max(width - abs(right), 0)
    left, other = max(-right, 0), max(right, 0)
    near = planes[..., :rows, left : left + columns]
    far = planes[..., down : down + rows, other : other + columns]
    return near, far
