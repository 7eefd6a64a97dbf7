"""Corrections: strokes that a person draws over an image, in the palette's colours over transparency."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import VOID, voc_palette

_NEAR = 32
_OPAQUE = 128


def read_correction(path: Path, shape: tuple[int, int], labels: list[int], names: list[str]) -> np.ndarray:
    """Read a correction.

    Args:
        path: a PNG with transparency; alpha under 128 means no opinion, VOC's void colour unknown, any other colour the
            nearest palette colour within a distance of 32.
        shape: (H, W) of the image.
        labels: label values 1..K of the image's tags.
        names: all class names.

    Returns:
        int16[H, W]: -1 no opinion, 0 background, 1..K class, 255 unknown.

    Raises:
        UserError: unreadable, of another size, a colour near none of the palette, or a class that is not tagged; the
            first such place is named.
    """
    try:
        with Image.open(path) as image:
            drawn = np.asarray(image.convert("RGBA"))
    except (OSError, UnidentifiedImageError) as error:
        raise UserError(f"{path}: not a readable correction ({error})") from error
    if drawn.shape[:2] != shape:
        raise UserError(
            f"{path}: {drawn.shape[1]} × {drawn.shape[0]} pixels, the image has {shape[1]} × {shape[0]}; "
            "draw on a layer of the image's size"
        )
    opinion = np.full(shape, -1, np.int16)
    stroke = drawn[..., 3] >= _OPAQUE
    colours, which = np.unique(drawn[stroke][:, :3], axis=0, return_inverse=True)
    if not len(colours):
        return opinion
    values = np.array([*range(len(names) + 1), VOID])
    distance = np.linalg.norm(colours[:, None].astype(float) - voc_palette()[values][None], axis=2)
    nearest = values[distance.argmin(1)]
    far = distance.min(1) > _NEAR
    opinion[stroke] = nearest[which.reshape(-1)]
    unclear = np.zeros(shape, bool)
    unclear[stroke] = far[which.reshape(-1)]
    if unclear.any():
        row, column = map(int, np.argwhere(unclear)[0])
        colour = "#" + "".join(f"{channel:02x}" for channel in drawn[row, column, :3])
        raise UserError(f"{path}: colour {colour} at row {row}, column {column} is near no colour of the palette")
    foreign = ~np.isin(opinion, [-1, 0, VOID, *labels])
    if foreign.any():
        row, column = map(int, np.argwhere(foreign)[0])
        raise UserError(
            f"{path}: {names[opinion[row, column] - 1]} drawn at row {row}, column {column}, but the image is tagged "
            f"{', '.join(names[label - 1] for label in labels) or 'with nothing'}; correct the tags first"
        )
    return opinion
