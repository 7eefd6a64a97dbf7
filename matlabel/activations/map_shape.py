"""Check that maps have their photograph's aspect ratio: rotated, squashed or cropped ones would mislabel pixels."""

import math

# Sides that networks pad photographs to a multiple of.
_MULTIPLE = 32


def check_shape(shape: tuple[int, ...], classes: int, size: tuple[int, int]) -> None:
    """Refuse maps that are not [C, h, w] of the photograph's shape.

    There must be one stride s, any number, at which h is H / s rounded down or up, and w the same of W.

    Args:
        shape: of the array.
        classes: C.
        size: the photograph's height and width, H and W.

    Raises:
        ValueError: they are not; the message says what was probably done, and the fix.
    """
    if len(shape) == 3 and shape[0] == classes and min(shape) > 0 and _fits(shape[1:], size):
        return
    said = f"maps has the shape {list(shape)}"
    photograph = f"the photograph is {size[1]} wide and {size[0]} high"
    wanted = f"with {classes} classes it must be [{classes}, h, w]"
    if len(shape) != 3 or min(shape) == 0:
        raise ValueError(f"{said}; {wanted}")
    if shape[2] == classes and _fits(shape[:2], size):
        raise ValueError(f"{said}; {wanted}: save np.moveaxis(maps, 2, 0)")
    if shape[0] != classes:
        raise ValueError(f"{said}; {wanted}")
    if _fits((shape[2], shape[1]), size):
        raise ValueError(f"{said}, {photograph}: they look turned, [C, w, h]; save np.swapaxes(maps, 1, 2)")
    cut = _without_padding(shape[1:], size)
    if cut:
        raise ValueError(f"{said}, {photograph}: they look padded; save maps[:, :{cut[0]}, :{cut[1]}]")
    like = _at_stride(shape[1:], size)
    raise ValueError(
        f"{said}, {photograph}: another shape, by more than rounding to whole cells; if they cover all of it, resize "
        f"them to [{classes}, {like[0]}, {like[1]}], if a part, put them in its place"
    )


def _fits(sides: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Whether one stride s explains both sides of the map from those of the photograph."""
    # H / s - 1 < h < H / s + 1, solved for s; a map of a single row has no smallest size.
    fewest = [length / (side + 1) for length, side in zip(size, sides, strict=True)]
    most = [length / (side - 1) if side > 1 else math.inf for length, side in zip(size, sides, strict=True)]
    return max(fewest) < min(most)


def _without_padding(sides: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int] | None:
    """Crop the padding off a map whose photograph was padded to multiples of 32."""
    for stride in (1, 2, 4, 8, 16):
        if all(
            side == math.ceil(long / _MULTIPLE) * _MULTIPLE // stride for side, long in zip(sides, size, strict=True)
        ):
            return math.ceil(size[0] / stride), math.ceil(size[1] / stride)
    return None


def _at_stride(sides: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int]:
    """Height and width with the photograph's aspect ratio and about as many cells as `sides`."""
    stride = math.sqrt(size[0] * size[1] / (sides[0] * sides[1]))
    return max(1, round(size[0] / stride)), max(1, round(size[1] / stride))
