"""Photographs as arrays: RGB, upright, and the very bytes that the manifest names."""

import hashlib
import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from matlabel.artifacts.errors import UserError
from matlabel.dataset.manifest import Entry

EXTENSIONS = (".jpg", ".jpeg", ".png")


def decode(data: bytes) -> np.ndarray:
    """Bytes of a JPEG or PNG -> uint8[H, W, 3], turned upright as its EXIF orientation says.

    Raises:
        ValueError: the bytes are not a whole image.
    """
    try:
        with warnings.catch_warnings():
            # Pillow only warns of pictures over 89 megapixels; a size that large is refused below its own limit.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
            if image.mode.startswith(("I", "F")):
                # Pillow would clip 16 bits to white without a word.
                raise ValueError(f"more than 8 bits a channel (mode {image.mode}); save it as an 8-bit image")
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError, Warning) as error:
        raise ValueError(str(error).replace("<_io.BytesIO object", "<bytes")) from error


def load_image(folder: Path, entry: Entry) -> np.ndarray:
    """The photograph of a manifest entry: uint8[H, W, 3].

    Raises:
        UserError: missing, unreadable, or no longer the bytes that the manifest names.
    """
    path = folder / entry.path
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise UserError(f"{path}: changed since the run began; run again, only what it touches is computed")
    try:
        return decode(data)
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
