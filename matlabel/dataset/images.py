"""Photographs as arrays: RGB, upright, their bytes checked against the manifest."""

from pathlib import Path

import numpy as np
from PIL import Image

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.picture import PHOTOGRAPHS, open_picture
from matlabel.artifacts.reading import read_unchanged
from matlabel.dataset.manifest import Entry

EXTENSIONS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp")


def decode(data: bytes, max_pixels: int | None = None) -> np.ndarray:
    """Bytes of a photograph -> uint8[H, W, 3], turned upright as its EXIF orientation says.

    What is transparent is laid over the mean colour of what is not: the colours that a transparent pixel hides are no
    part of the picture.

    Args:
        data: a JPEG, PNG, WebP, TIFF or BMP.
        max_pixels: refuse more; None: as many as there are.

    Raises:
        ValueError: the bytes are not one whole picture of 8 bits a channel with something to see in it.
    """
    picture = open_picture(data, PHOTOGRAPHS, max_pixels)
    try:
        if picture.has_transparency_data:
            return _opaque(np.asarray(picture.convert("RGBA")))
        return np.asarray(picture.convert("RGB"))
    except (ValueError, MemoryError):
        raise
    except Exception as error:  # of colour spaces that Pillow opens and cannot convert
        raise ValueError(f"mode {picture.mode} cannot be turned into RGB; save it as RGB") from error


def _opaque(drawn: np.ndarray) -> np.ndarray:
    """uint8[H, W, 4] over the mean colour of its visible pixels: uint8[H, W, 3]."""
    if drawn[..., 3].min() == 255:
        return np.ascontiguousarray(drawn[..., :3])
    weights = sum((row[:, 3].astype(np.int64) for row in drawn), np.zeros(drawn.shape[1], np.int64)).sum()
    if not weights:
        raise ValueError("wholly transparent: there is nothing to see")
    mean = sum((row[:, :3].astype(np.int64) * row[:, 3:]).sum(0) for row in drawn) / weights
    opaque = np.empty((*drawn.shape[:2], 3), np.uint8)
    # Row by row: in floats the whole takes eight times the memory of the picture.
    for row, out in zip(drawn, opaque, strict=True):
        alpha = row[:, 3:].astype(np.float32) / 255
        out[:] = np.rint(row[:, :3] * alpha + mean.astype(np.float32) * (1 - alpha))
    return opaque


def load_image(folder: Path, entry: Entry, max_pixels: int | None = None) -> np.ndarray:
    """The photograph of a manifest entry: uint8[H, W, 3].

    Args:
        folder: what the entry's path is relative to.
        entry: of the manifest.
        max_pixels: refuse more; None where the stage dataset has accepted the same bytes.

    Raises:
        UserError: missing, unreadable, or no longer the bytes that the manifest names.
    """
    path = folder / entry.path
    try:
        return decode(read_unchanged(path, entry.sha256), max_pixels)
    except ValueError as error:
        raise UserError(f"{path}: not a readable image ({error})") from error


def resize_long_side(image: np.ndarray, long_side: int) -> np.ndarray:
    """uint8[H, W, 3] resized (antialiased) so that its long side is `long_side` pixels, sides at least 1."""
    height, width = image.shape[:2]
    factor = long_side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if size == (width, height):
        return image
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
