"""Thumbnails of photographs, activations, trimaps, alphas and label images."""

import base64
import io

import numpy as np
from PIL import Image

from matlabel.artifacts.label_image import UNKNOWN, colourise, voc_palette
from matlabel.dataset.images import resize_long_side

UNKNOWN_COLOUR = (150, 150, 150)


def photograph(image: np.ndarray, side: int) -> str:
    """uint8[H, W, 3] -> data URI, long side `side`."""
    return _jpeg(resize_long_side(image, side))


def activations(image: np.ndarray, classes: np.ndarray, probabilities: np.ndarray, side: int) -> str:
    """The strongest class of every pixel in its colour over the grey photograph, as opaque as it is probable.

    Args:
        image: uint8[H, W, 3].
        classes: uint8[C] label values.
        probabilities: uint8[C + 1, h, w], background first.

    Returns:
        a data URI.
    """
    small = resize_long_side(image, side)
    size = (small.shape[1], small.shape[0])
    planes = np.stack([np.asarray(Image.fromarray(p).resize(size, Image.Resampling.BILINEAR)) for p in probabilities])
    grey = np.repeat(small.mean(axis=2, keepdims=True), 3, axis=2)
    if not len(classes):
        return _jpeg(grey.astype(np.uint8))
    colour = voc_palette()[classes][planes[1:].argmax(axis=0)]
    opacity = planes[1:].max(axis=0)[..., None] / 255
    return _jpeg((grey * (1 - opacity) + colour * opacity).astype(np.uint8))


def trimap(values: np.ndarray, side: int) -> str:
    """uint8[H, W] label trimap -> data URI: VOC colours, unknown grey."""
    values = _nearest(values, side)
    return _png(np.where((values == UNKNOWN)[..., None], np.uint8(UNKNOWN_COLOUR), colourise(values)))


def alphas(classes: np.ndarray, planes: np.ndarray, side: int) -> str:
    """Label colours mixed by alpha, uint8[C + 1, H, W] with label values `classes` uint8[C] -> data URI."""
    colours = voc_palette()[np.concatenate([[0], classes]).astype(np.uint8)].astype(np.float32)
    mixed = np.tensordot(planes.astype(np.float32) / 255, colours, axes=(0, 0))
    return _jpeg(resize_long_side(np.clip(mixed.round(), 0, 255).astype(np.uint8), side))


def labels(values: np.ndarray, side: int) -> str:
    """uint8[H, W] label values -> data URI in VOC colours."""
    return _png(colourise(_nearest(values, side)))


def _nearest(values: np.ndarray, side: int) -> np.ndarray:
    height, width = values.shape
    factor = side / max(height, width)
    rows, columns = max(1, round(height * factor)), max(1, round(width * factor))
    return values[np.arange(rows) * height // rows][:, np.arange(columns) * width // columns]


def _jpeg(picture: np.ndarray) -> str:
    return _uri(picture, "jpeg", quality=82)


def _png(picture: np.ndarray) -> str:
    return _uri(picture, "png", optimize=True)


def _uri(picture: np.ndarray, kind: str, **options: object) -> str:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, format=kind.upper(), **options)
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode()}"
