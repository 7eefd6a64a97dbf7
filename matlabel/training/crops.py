"""Random training crops, determined by random seed, epoch and image id alone."""

import hashlib
from collections.abc import Mapping

import numpy as np
from PIL import Image

from matlabel.settings.training import TrainingSettings

# What a crop shows outside of the picture: the mean colour of ImageNet.
OUTSIDE = (124, 116, 104)


def crop_generator(seed: int, epoch: int, image_id: str) -> np.random.Generator:
    """The random generator of one image in one epoch."""
    digest = int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, epoch, digest])


def random_crop(
    image: np.ndarray,
    settings: TrainingSettings,
    random: np.random.Generator,
    planes: Mapping[str, tuple[np.ndarray, int, bool]] | None = None,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Resize, flip, crop and colour-jitter an image, and crop its label planes alike.

    Args:
        image: uint8[H, W, 3].
        settings: crop, resize and jitter.
        random: see `crop_generator`.
        planes: name -> (uint8[h, w] covering the same picture, value outside of it, whether to interpolate).

    Returns:
        uint8[crop, crop, 3] (grey outside of the picture) and name -> uint8[crop, crop].
    """
    height, width = image.shape[:2]
    side = settings.crop
    scale = random.uniform(*settings.resize) / max(height, width)
    wide, high = min(side, max(1, round(width * scale))), min(side, max(1, round(height * scale)))
    # The window in the picture, and where it lies in the crop: one of the two has room to move in each direction.
    left = random.uniform(0, max(0.0, width - wide / scale))
    top = random.uniform(0, max(0.0, height - high / scale))
    x, y = int(random.integers(0, side - wide + 1)), int(random.integers(0, side - high + 1))
    mirrored = bool(random.integers(2))
    factors = random.uniform(1 - settings.jitter, 1 + settings.jitter, 3)

    box = (left / width, top / height, min(1.0, (left + wide / scale) / width), min(1.0, (top + high / scale) / height))
    place = (slice(y, y + high), slice(x, x + wide))
    out = np.full((side, side, 3), OUTSIDE, np.uint8)
    out[place] = recolour(_window(image, box, (wide, high), Image.Resampling.BILINEAR), factors)
    cut = {}
    for name, (plane, outside, smooth) in (planes or {}).items():
        cut[name] = np.full((side, side), outside, np.uint8)
        cut[name][place] = _window(
            plane, box, (wide, high), Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
        )
    if mirrored:
        out, cut = out[:, ::-1], {name: plane[:, ::-1] for name, plane in cut.items()}
    return np.ascontiguousarray(out), {name: np.ascontiguousarray(plane) for name, plane in cut.items()}


def recolour(image: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Multiply brightness, contrast and saturation of uint8[H, W, 3] by three factors."""
    brightness, contrast, saturation = factors.astype(np.float32)
    pixels = image.astype(np.float32) * brightness
    pixels = (pixels - pixels.mean()) * contrast + pixels.mean()
    grey = pixels.mean(axis=2, keepdims=True)
    return np.clip((pixels - grey) * saturation + grey, 0, 255).astype(np.uint8)


def _window(
    plane: np.ndarray, box: tuple[float, float, float, float], size: tuple[int, int], how: Image.Resampling
) -> np.ndarray:
    high, wide = plane.shape[:2]
    pixels = (box[0] * wide, box[1] * high, box[2] * wide, box[3] * high)
    return np.asarray(Image.fromarray(plane).resize(size, how, box=pixels))
