"""One photograph and its trimap, as files, to alpha images: matting without the workflow."""

from pathlib import Path

import numpy as np
from PIL import Image

from matlabel.artifacts.atomic import atomic_path
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import UNKNOWN
from matlabel.artifacts.picture import PHOTOGRAPHS, open_picture
from matlabel.artifacts.reading import read_bytes
from matlabel.dataset.images import decode
from matlabel.mattes.methods import alphas_of
from matlabel.mattes.stage import device_of
from matlabel.settings.limits import MAX_PIXELS
from matlabel.settings.mattes import WITHOUT_TRIMAP, MattesSettings

# How far apart the channels of a grey may be in a JPEG.
_GREY = 24
_SHOWN = 6
# Values up to here are labels rather than shades.
_SMALL = 20


def matte_files(
    image: Path,
    trimap: Path,
    out: Path,
    settings: MattesSettings,
    device: str = "auto",
    labels: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> list[Path]:
    """Write the alpha of every label of a trimap as an 8-bit grey PNG.

    Args:
        image: a JPEG, PNG, WebP, TIFF or BMP.
        trimap: see `read_trimap`.
        out: the PNG to write; of several labels, label 3's is `<stem>-3.png` beside it.
        settings: a method that reads a trimap, its scale and parameters. One image has no activations, so that
            prior is not read; nor are samples, which are for labels.
        device: auto, cpu, cuda or mps.
        labels: see `read_trimap`.
        max_pixels: refuse larger pictures.

    Returns:
        the files written, by ascending label.

    Raises:
        UserError: a file cannot be read or does not fit, nothing or only one label is sure, `out` is no PNG, or a file
            that would be written is one of those that are read.
    """
    if settings.method in WITHOUT_TRIMAP:
        raise UserError(f"method {settings.method} decides from activations; one image has none")
    if out.suffix.lower() != ".png":
        raise UserError(f"{out}: alphas are written as PNG; name a file that ends in .png")
    try:
        picture = decode(read_bytes(image), max_pixels)
    except ValueError as error:
        raise UserError(f"{image}: not a readable image ({error})") from error
    guide = read_trimap(trimap, labels, max_pixels)
    if guide.shape != picture.shape[:2]:
        raise UserError(
            f"{trimap}: {guide.shape[1]} × {guide.shape[0]} pixels, the image has {picture.shape[1]} × "
            f"{picture.shape[0]}; they have to be of one size"
        )
    sure = [int(value) for value in np.unique(guide) if value != UNKNOWN]
    present = [value for value in sure if value]
    if len(sure) < 2:
        missing = "no pixel is surely background" if present else "no pixel is surely object"
        raise UserError(
            f"{trimap}: {missing}; matting needs sure pixels on both sides of the unknown region. "
            f"{_values_text(trimap, labels)}"
        )
    files = [out] if len(present) == 1 else [out.with_name(f"{out.stem}-{value}{out.suffix}") for value in present]
    for file in files:
        if file.exists() and any(file.samefile(read) for read in (image, trimap)):
            raise UserError(f"{file}: is read here and would be overwritten; name another file with -o")
    settings = settings.model_copy(update={"prior": 0.0, "samples": 0.0})
    alphas = alphas_of(picture, present, settings, trimap=guide, device=device_of(settings, device))
    for file, alpha in zip(files, alphas[1:], strict=True):
        with atomic_path(file) as temporary:
            Image.fromarray(np.rint(255 * alpha).astype(np.uint8)).save(temporary, format="PNG")
    return files


def read_trimap(path: Path, labels: bool = False, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read a trimap image, turned upright as its EXIF orientation says.

    Args:
        path: a PNG with a palette in colours is a label trimap (0 background, 1..254 a sure label, 255 unknown), as the
            stage trimaps makes them; any other image has three values: dark (under a tenth of white) background, bright
            (over nine tenths) object, unknown between. A palette of greys is only another way to store a grey image.
        labels: read the values of a grey or palette image as a label trimap, too.
        max_pixels: refuse larger pictures.

    Returns:
        uint8[H, W] label trimap; of a three-value one the object is label 1.

    Raises:
        UserError: unreadable, transparent, or in colour without a palette.
    """
    image = _opened(path, max_pixels)
    if image.mode == "P" and (labels or not _is_grey(image.convert("RGB"))):
        return np.array(image, dtype=np.uint8)
    if labels:
        if image.mode != "L":
            raise UserError(f"{path}: a label trimap is a palette or 8-bit grey image, not mode {image.mode}")
        return np.array(image, dtype=np.uint8)
    values = np.unique(np.asarray(image)) if image.mode == "L" else np.zeros(0)
    if 1 < len(values) <= _SHOWN and values[-1] == UNKNOWN and 0 < values[-2] <= _SMALL:
        raise UserError(
            f"{path}: holds {', '.join(map(str, values))}: a label trimap in grey? add --labels; else write 0 for "
            "background, 128 for unknown, 255 for object"
        )
    grey = _greys(image) / (65535 if image.mode.startswith("I") else 255)
    return np.where(grey < 0.1, 0, np.where(grey > 0.9, 1, UNKNOWN)).astype(np.uint8)


def _opened(path: Path, max_pixels: int | None) -> Image.Image:
    try:
        image = open_picture(read_bytes(path), PHOTOGRAPHS, max_pixels, deep=True)
    except ValueError as error:
        raise UserError(f"{path}: not a readable trimap ({error})") from error
    if image.mode == "F":
        raise UserError(f"{path}: a trimap has whole numbers, not mode F; save it as an 8-bit grey image")
    if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
        raise UserError(
            f"{path}: a trimap is not transparent; save it as a grey image, unknown in the middle of the range"
        )
    if image.mode not in ("P", "L", "1") and not image.mode.startswith("I") and not _is_grey(image.convert("RGB")):
        raise UserError(f"{path}: in colour; a trimap is grey (dark, middle, bright), or has a palette of label values")
    return image


def _is_grey(image: Image.Image) -> bool:
    """Whether an RGB image has no colour but what JPEG makes of greys."""
    channels = np.asarray(image).astype(np.int16)
    return int((channels.max(2) - channels.min(2)).max()) <= _GREY


def _greys(image: Image.Image) -> np.ndarray:
    return np.asarray(image if image.mode.startswith("I") else image.convert("RGB").convert("L"))


def _values_text(path: Path, labels: bool) -> str:
    """Message for a trimap without known pixels: the values found, and those expected."""
    image = _opened(path, None)
    values = np.unique(
        np.asarray(image) if labels or (image.mode == "P" and not _is_grey(image.convert("RGB"))) else _greys(image)
    )
    found = ", ".join(map(str, values)) if len(values) <= _SHOWN else f"{values[0]} to {values[-1]}"
    if labels:
        return f"It holds {found}; a label trimap has 0 for background, 1 to 254 for labels, 255 for unknown"
    if image.mode.startswith("I"):
        return f"It holds {found} of 65535 (16 bits); write 0, 32768 and 65535, or save it with 8 bits"
    hint = " (0, 1 and 2, or 1, 2 and 3, all count as dark)" if values[-1] <= 3 else ""
    return f"It holds {found}{hint}; write 0 for background, 128 for unknown, 255 for object"
