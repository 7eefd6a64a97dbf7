"""Opening pictures: only named formats, a limit of pixels, one message for every kind of broken file."""

import io
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PIL import BmpImagePlugin, ExifTags, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from matlabel.settings.limits import MAX_PIXELS

# Pillow would also try formats that start a program (EPS: Ghostscript), whatever the file is called.
# Imported, and so registered.
_PLUGINS = (JpegImagePlugin, PngImagePlugin, WebPImagePlugin, TiffImagePlugin, BmpImagePlugin)
PHOTOGRAPHS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
MASKS = ("PNG",)
# What people have under the name of a picture, by its first bytes.
_KINDS = (
    (rb"\xff\xd8\xff", "JPEG"),
    (rb"\x89PNG\r\n\x1a\n", "PNG"),
    (rb"RIFF....WEBP", "WebP"),
    (rb"II\*\0|MM\0\*|II\+\0|MM\0\+", "TIFF"),
    (rb"BM", "BMP"),
    (rb"GIF8", "GIF"),
    (rb"....ftyp(?:hei|hev|mif|msf)", "HEIC"),
    (rb"....ftypavi", "AVIF"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "EPS"),
    (rb"%PDF", "PDF"),
    (rb"8BPS", "PSD"),
    (rb"(?i:\s*<(?:!doctype html|html))", "a web page"),
    (rb"\s*<(?:\?xml|svg)", "SVG or XML"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"version https://git-lfs", "a pointer of Git LFS, the file itself was not fetched"),
)
# EXIF orientation -> what turns the stored picture upright.
_TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-fA-F]+>")
_MOST_WORDS = 200
_global_limit = threading.Lock()


class WrongSizeError(ValueError):
    """A picture is not of the required size; `size` is its own, (H, W), upright."""

    def __init__(self, size: tuple[int, int]):
        super().__init__(f"{size[1]} × {size[0]} pixels")
        self.size = size


def open_picture(
    data: bytes,
    formats: Sequence[str],
    max_pixels: int | None = MAX_PIXELS,
    size: tuple[int, int] | None = None,
    deep: bool = False,
) -> Image.Image:
    """Decode a picture, whole and turned upright as its EXIF orientation says; the mode is the file's own.

    Args:
        data: the file's bytes.
        formats: Pillow's names of those that may be tried.
        max_pixels: refuse more before anything is decoded; None: as many as there are.
        size: refuse another size (H, W), upright, before anything is decoded.
        deep: take more than 8 bits a channel, of which Pillow keeps the higher ones where there are several channels.

    Raises:
        WrongSizeError: another size than `size`.
        ValueError: no whole picture of these formats, more than one in the file, too large, or of more than 8 bits a
            channel; the text says which, and is the same whenever the bytes are.
    """
    picture = _opened(data, formats)
    width, height = picture.size
    if max_pixels is not None and width * height > max_pixels:
        raise ValueError(
            f"{width} × {height} pixels, more than max_pixels ({max_pixels}); make it smaller (labels gain nothing "
            "from more than a few megapixels), or raise max_pixels"
        )
    if size is not None and width * height != size[0] * size[1]:
        raise WrongSizeError(_upright_size(picture, 1))
    if not deep and (picture.mode[:1] in ("I", "F") or ";16" in str(picture.tile) or ";32" in str(picture.tile)):
        # Pillow would clip 16 bits of grey to white, and of colours keep the higher 8, without a word.
        raise ValueError(f"more than 8 bits a channel (mode {picture.mode}); save it with 8 bits")
    orientation = _orientation(picture, data, formats)
    if size is not None and _upright_size(picture, orientation) != tuple(size):
        raise WrongSizeError(_upright_size(picture, orientation))
    with _decoding(data, formats):
        picture.load()
        if picture.mode in ("P", "PA") and picture.palette is None:
            raise ValueError("its colours are indices, and it has no palette")
        return picture.transpose(_TURNS[orientation]) if orientation > 1 else picture


def orientation_of(data: bytes, formats: Sequence[str]) -> tuple[tuple[int, int], int]:
    """Size (H, W) of a picture, upright, and its EXIF orientation, 1 to 8 (1: it is stored upright), undecoded.

    Raises:
        ValueError: no picture of these formats.
    """
    picture = _opened(data, formats)
    orientation = _orientation(picture, data, formats)
    return _upright_size(picture, orientation), orientation


def _opened(data: bytes, formats: Sequence[str]) -> Image.Image:
    """The picture with only its header read."""
    if not data:
        raise ValueError("the file is empty")
    with _decoding(data, formats):
        with _without_pillows_limit():
            picture = Image.open(io.BytesIO(data), formats=formats)
        frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":  # which has previews beside the photograph
        raise ValueError(f"holds {frames} pictures (an animation, or pages); save the one that is meant")
    return picture


def _orientation(picture: Image.Image, data: bytes, formats: Sequence[str]) -> int:
    if picture.format == "TIFF":
        return 1  # Pillow turns these itself
    with _decoding(data, formats):
        found = picture.getexif().get(ExifTags.Base.Orientation, 1)
    return found if isinstance(found, int) and found in _TURNS else 1


def _upright_size(picture: Image.Image, orientation: int) -> tuple[int, int]:
    width, height = picture.size
    return (width, height) if orientation >= 5 else (height, width)


@contextmanager
def _decoding(data: bytes, formats: Sequence[str]) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, which are not read
            yield
    except MemoryError:
        raise  # says nothing of the picture
    except Exception as error:  # whatever Pillow's plugins raise for damaged bytes
        raise ValueError(_reason(error, data, formats)) from error


def _reason(error: Exception, data: bytes, formats: Sequence[str]) -> str:
    kind = next((name for start, name in _KINDS if re.match(start, data[:64], re.DOTALL)), None)
    readable = ", ".join(formats)
    if isinstance(error, Image.UnidentifiedImageError):
        if kind is None:
            return f"no picture; read are {readable}"
        if kind.upper() in formats:
            return f"a damaged {kind}"
        return f"it is {kind}; read are {readable}"
    # A memory address would give other bytes on each run.
    text = _ADDRESS.sub("the file", str(error)).strip()
    if "MAX_TEXT" in text or "Decompressed data too large" in text:
        return "it carries more text than is read; save it without its metadata"
    return text[:_MOST_WORDS] or type(error).__name__


@contextmanager
def _without_pillows_limit() -> Iterator[None]:
    """Pillow's own limit is one number for a whole process; ours is the caller's, and checked before decoding."""
    with _global_limit:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
