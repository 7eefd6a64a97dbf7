"""Label images: palette-index PNG in the PASCAL VOC colours, so that they open in colour everywhere."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from matlabel.artifacts.atomic import atomic_path
from matlabel.artifacts.errors import UserError

VOID = 255


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


def read_label_image(path: str | Path, classes: int | None = None) -> np.ndarray:
    """Read a label image (mode P or L) as uint8[H, W]: 0 background, 1..classes, 255 void.

    Raises:
        UserError: unreadable, in true colour (its label values are gone), or with a value above `classes` that is
            not 255.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in ("P", "L", "1"):
                raise UserError(f"{path}: a mask must be a palette or grey PNG of label values, not mode {image.mode}")
            labels = np.asarray(image).astype(np.uint8)
    except (OSError, UnidentifiedImageError) as error:
        raise UserError(f"{path}: not a readable mask ({error})") from error
    if classes is not None:
        wrong = (labels > classes) & (labels != VOID)
        if wrong.any():
            row, column = map(int, np.argwhere(wrong)[0])
            raise UserError(
                f"{path}: label value {labels[row, column]} at row {row}, column {column}; "
                f"with {classes} classes masks hold 0 to {classes} and 255 (void)"
            )
    return labels
