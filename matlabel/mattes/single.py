"""One photograph and its trimap, as files, to alpha images: matting without the workflow."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from matlabel.artifacts.atomic import atomic_path
from matlabel.artifacts.errors import UserError
from matlabel.dataset.images import decode
from matlabel.mattes.methods import alphas_of
from matlabel.mattes.problem import UNKNOWN
from matlabel.mattes.stage import device_of
from matlabel.settings.mattes import WITHOUT_TRIMAP, MattesSettings


def matte_files(
    image: Path, trimap: Path, out: Path, settings: MattesSettings, device: str = "auto", labels: bool = False
) -> list[Path]:
    """Write the alpha of every label of a trimap as an 8-bit grey PNG.

    Args:
        image: a JPEG or PNG.
        trimap: see `read_trimap`.
        out: the PNG to write; of several labels, label 3's is `<stem>-3.png` beside it.
        settings: a method that reads a trimap, its scale and parameters. One image has no activations, so that
            prior, contour and embedding are not read; nor is sampling, which is for labels.
        device: auto, cpu, cuda or mps.
        labels: see `read_trimap`.

    Returns:
        the files written, by ascending label.

    Raises:
        UserError: a file cannot be read or does not fit, nothing or only one label is sure, or `out` is no PNG.
    """
    if settings.method in WITHOUT_TRIMAP:
        raise UserError(f"method {settings.method} decides from activations; one image has none")
    if out.suffix.lower() != ".png":
        raise UserError(f"{out}: alphas are written as PNG; name a file that ends in .png")
    try:
        picture = decode(image.read_bytes())
    except ValueError as error:
        raise UserError(f"{image}: not a readable image ({error})") from error
    guide = read_trimap(trimap, labels)
    if guide.shape != picture.shape[:2]:
        raise UserError(
            f"{trimap}: {guide.shape[1]} × {guide.shape[0]} pixels, the image has {picture.shape[1]} × "
            f"{picture.shape[0]}; they have to be of one size"
        )
    sure = [int(value) for value in np.unique(guide) if value != UNKNOWN]
    present = [value for value in sure if value]
    if len(sure) < 2:
        missing = "no pixel is surely background" if present else "no pixel is surely object"
        raise UserError(f"{trimap}: {missing}; matting needs sure pixels on both sides of the unknown region")
    settings = settings.model_copy(update={"prior": 0.0, "contour": 0.0, "sampling": 0.0, "embedding": 0.0})
    alphas = alphas_of(picture, present, settings, trimap=guide, device=device_of(settings, device))
    files = [out] if len(present) == 1 else [out.with_name(f"{out.stem}-{value}{out.suffix}") for value in present]
    for file, alpha in zip(files, alphas[1:], strict=True):
        with atomic_path(file) as temporary:
            Image.fromarray(np.rint(255 * alpha).astype(np.uint8)).save(temporary, format="PNG")
    return files


def read_trimap(path: Path, labels: bool = False) -> np.ndarray:
    """Read a trimap image.

    Args:
        path: a palette PNG is a label trimap (0 background, 1..254 a sure label, 255 unknown), as the stage trimaps
            makes them; any other image has three values: dark (under a tenth of white) background, bright (over nine
            tenths) object, unknown between.
        labels: read a grey image as a label trimap, too.

    Returns:
        uint8[H, W] label trimap; of a three-value one the object is label 1.

    Raises:
        UserError: unreadable, or in colour with `labels`.
    """
    try:
        with Image.open(path) as image:
            if image.mode == "P" or (labels and image.mode == "L"):
                return np.array(image, dtype=np.uint8)
            if labels:
                raise UserError(f"{path}: a label trimap is a palette or 8-bit grey image, not mode {image.mode}")
            deep = image.mode.startswith("I")
            grey = np.asarray(image if deep else image.convert("L")) / (65535 if deep else 255)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: not a readable trimap ({error})") from error
    return np.where(grey < 0.1, 0, np.where(grey > 0.9, 1, UNKNOWN)).astype(np.uint8)
