"""Label images: palette-index PNG in the PASCAL VOC colours, so that they open in colour everywhere."""

from pathlib import Path

import numpy as np
from PIL import Image

from matlabel.artifacts.atomic import atomic_path
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.picture import MASKS, WrongSizeError, open_picture
from matlabel.artifacts.reading import read_bytes, read_unchanged
from matlabel.settings.limits import MAX_PIXELS

VOID = 255
UNKNOWN = VOID  # of a trimap


def voc_palette() -> np.ndarray:
    """uint8[256, 3]: the VOC colour of every label value (bits of the index spread over R, G, B from the top)."""
    index = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            palette[:, channel] |= (((index >> (3 * bit + channel)) & 1) << (7 - bit)).astype(np.uint8)
    return palette


def colourise(labels: np.ndarray) -> np.ndarray:
    """uint8[H, W] label values -> uint8[H, W, 3] in VOC colours."""
    return voc_palette()[labels]


def write_label_image(path: str | Path, labels: np.ndarray) -> None:
    """Write uint8[H, W] label values as a palette PNG (mode P), atomically.

    Raises:
        ValueError: not a two-dimensional uint8 array.
    """
    if labels.dtype != np.uint8 or labels.ndim != 2:
        raise ValueError(f"labels must be uint8[H, W], not {labels.dtype}{list(labels.shape)}")
    image = Image.fromarray(labels).convert("P")
    image.putpalette(voc_palette().tobytes())
    with atomic_path(path) as temporary:
        image.save(temporary, format="PNG", optimize=False)


def read_label_image(
    path: str | Path,
    classes: int | None = None,
    size: tuple[int, int] | None = None,
    sha256: str | None = None,
    by_index: bool = False,
) -> np.ndarray:
    """Read a label image (mode P or L) as uint8[H, W]: 0 background, 1..classes, 255 void.

    Args:
        path: of a PNG.
        classes: number K of object classes; None: any value is taken.
        size: (H, W) that it must have.
        sha256: of the bytes that it must have.
        by_index: see `label_values`.

    Raises:
        UserError: unreadable, in true colour (its label values are gone), of other bytes or another size, or with a
            value above `classes` that is not 255.
    """
    data = read_bytes(path) if sha256 is None else read_unchanged(path, sha256)
    try:
        return decode_label_image(data, classes, size, by_index)
    except WrongSizeError as error:
        height, width = error.size
        raise UserError(
            f"{path}: {width} × {height} pixels, but its image has {size[1]} × {size[0]} (turned upright as its EXIF "
            "says); a mask must have the size of its image"
        ) from error
    except ValueError as error:
        raise UserError(f"{path}: not a readable mask ({error})") from error


def decode_label_image(
    data: bytes, classes: int | None = None, size: tuple[int, int] | None = None, by_index: bool = False
) -> np.ndarray:
    """The bytes of a label image -> uint8[H, W], as `read_label_image`.

    Raises:
        WrongSizeError: not of `size`.
        ValueError: anything else that is wrong with it.
    """
    labels, _ = label_values(data, classes, size, by_index)
    if classes is not None:
        wrong = (labels > classes) & (labels != VOID)
        if wrong.any():
            row, column = map(int, np.argwhere(wrong)[0])
            raise ValueError(
                f"label value {labels[row, column]} at row {row}, column {column}; "
                f"with {classes} classes masks hold 0 to {classes} and 255 (void)"
            )
    return labels


def label_values(
    data: bytes, classes: int | None = None, size: tuple[int, int] | None = None, by_index: bool = False
) -> tuple[np.ndarray, bool]:
    """As `decode_label_image`, without checking the range of the values.

    Editors sort palettes: where all colours of the palette are VOC's, of other values than they stand at, the colours
    are read and not the indices, unless with `by_index`.

    Returns:
        uint8[H, W], and whether they were read by colour.
    """
    image = open_picture(data, MASKS, max_pixels=None if size else MAX_PIXELS, size=size, deep=True)
    if image.mode not in ("P", "L", "1"):
        raise ValueError(f"a mask must be a palette or grey PNG of label values, not mode {image.mode}")
    labels = np.asarray(image).astype(np.uint8)
    if image.mode == "L":
        # Of PNGs with 2 or 4 bits of grey Pillow stretches the values over 8. The header has the bits.
        labels //= {2: 85, 4: 17}.get(data[24], 1)
    named = image.mode == "P" and not by_index
    table = _value_of_colour(image, np.unique(labels), classes) if named else None
    return (labels, False) if table is None else (table[labels], True)


def _value_of_colour(image: Image.Image, used: np.ndarray, classes: int | None) -> np.ndarray | None:
    """uint8[256], the label value of every index that occurs, by its colour; None where the indices are the values."""
    colours = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    if used[-1] >= len(colours) or (colours[used] == voc_palette()[used]).all():
        return None
    black = [index for index in used if not colours[index].any()]
    allowed = np.array([*range(VOID if classes is None else classes + 1), VOID])
    value_of = {tuple(colour): value for value, colour in zip(allowed, voc_palette()[allowed], strict=True)}
    # Not only of what occurs: files of one palette must be read in one way.
    named = colours[: len(allowed) - 1]
    painted = np.flatnonzero(named.any(1))  # what follows the last colour is filled up with black
    entries = np.union1d(used, np.arange(painted[-1] + 1 if len(painted) else 0))
    values = [value_of.get(tuple(colour)) for colour in colours[entries]]
    if None in values or len(set(values)) < len(entries):
        # A palette of somebody's own, or colours that cannot be told apart.
        if black and colours[0].any():
            raise ValueError(
                f"black stands at index {black[0]} and not at 0, which is background; save it with 0 black"
            )
        return None
    table = np.zeros(256, np.uint8)
    table[entries] = values
    return table
