"""One's own maps of an image, <id>.npz, checked and turned into probabilities; never unpickled.

classes     label values 1..K (integers) or class names (a unicode array), [C]
maps        float in [0, 1] or uint8 in 0..255, [C, h, w], of any h and w
background  likewise, [h, w]; optional, else (1 - max of the tagged classes' maps)^gamma
"""

import io
import lzma
import zipfile
import zlib
from pathlib import Path

import numpy as np

from matlabel.artifacts.errors import UserError, did_you_mean

ARRAYS = ("classes", "maps", "background")
# What zipfile raises for a damaged archive, by its four ways of compressing; one asks for as much memory as it says.
_DAMAGED = (
    OSError,
    EOFError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
# Softmax and division leave a float a few units in the last place above 1.
_SLACK = 1e-5


def read_maps(path: Path, content: bytes, labels: list[int], names: list[str], gamma: float) -> np.ndarray:
    """Probabilities over the background and the tagged classes, at the file's own resolution.

    Maps of classes that the image is not tagged with are left out: the tags decide, as for every source.

    Args:
        path: of the file, for messages.
        content: its bytes.
        labels: label values 1..K of the image's tags, ascending, at least one.
        names: all class names.
        gamma: without `background`, larger takes more from it.

    Returns:
        float32[C + 1, h, w], background first, summing to one; a pixel where all is 0 is background.

    Raises:
        UserError: not such a file, or no map of a tagged class; the message names the file, the array and the fix.
    """
    try:
        arrays = _arrays(content)
        found = _labels(arrays["classes"], names)
        maps = _shares("maps", arrays["maps"])
        if maps.ndim != 3 or len(maps) != len(found) or not maps.size:
            shape = f"[{len(found)}, h, w]"
            raise ValueError(f"maps has the shape {list(maps.shape)}; with {len(found)} classes it must be {shape}")
        missing = [names[label - 1] for label in labels if label not in found]
        if missing:
            raise ValueError(
                f"classes holds {_some(found, names)}, but the image is tagged {', '.join(missing)}; "
                "add the map, or correct the tags"
            )
        maps = maps[[found.index(label) for label in labels]]
        background = (1 - maps.max(0)) ** np.float32(gamma)
        if "background" in arrays:
            background = _shares("background", arrays["background"])
            if background.shape != maps.shape[1:]:
                raise ValueError(
                    f"background has the shape {list(background.shape)}, "
                    f"but the maps are {list(maps.shape[1:])}; it must be as large"
                )
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
    scores = np.concatenate([background[None], maps])
    total = scores.sum(0)
    # A ∝ [background, M_1 … M_C]
    scores[0][total == 0] = 1
    return scores / np.where(total == 0, 1, total)


def _arrays(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of the file by name: `classes`, `maps` and perhaps `background`."""
    if not content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise ValueError("not an .npz archive; write it with np.savez_compressed(path, classes=…, maps=…)")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except _DAMAGED as error:
        raise ValueError(
            f"not a readable .npz archive ({str(error) or type(error).__name__}); write it again"
        ) from error
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        raise ValueError(
            "holds pickled objects, which are never read; save plain arrays: classes as integers or np.array(names), "
            "maps as float32 or uint8"
        ) from error
    for name in arrays:
        if name not in ARRAYS:
            known = ", ".join(ARRAYS)
            raise ValueError(f"unknown array {name}{did_you_mean(name, list(ARRAYS))}; known are {known}")
    for name in ARRAYS[:2]:
        if name not in arrays:
            raise ValueError(f"no array {name}; it holds {', '.join(arrays) or 'none'}")
    return arrays


def _labels(classes: np.ndarray, names: list[str]) -> list[int]:
    """Label values 1..K of the array `classes`."""
    if classes.ndim != 1:
        raise ValueError(f"classes has the shape {list(classes.shape)}; it must be a list, [C]")
    if classes.dtype.kind == "U":
        for name in classes.tolist():
            if name not in names:
                raise ValueError(f'classes: "{name}" is no class of the data{did_you_mean(name, names)}')
        found = [names.index(name) + 1 for name in classes.tolist()]
    elif classes.dtype.kind in "iu":
        found = classes.tolist()
        for label in found:
            if not 1 <= label <= len(names):
                zero = "; the first class is 1, and the background has an array of its own" if label == 0 else ""
                raise ValueError(f"classes: {label} is no label value; the data has 1 to {len(names)}{zero}")
    else:
        raise ValueError(f"classes is {classes.dtype}; save integers (1 is the first class) or class names as text")
    twice = next((label for label in found if found.count(label) > 1), None)
    if twice:
        raise ValueError(f"classes names {names[twice - 1]} twice; one map a class")
    return found


def _shares(name: str, array: np.ndarray) -> np.ndarray:
    """An array as float32 in [0, 1]."""
    if array.dtype == np.uint8:
        return array.astype(np.float32) / 255
    if array.dtype.kind != "f":
        raise ValueError(f"{name} is {array.dtype}; save float in [0, 1] or uint8 in 0..255")
    finite = np.isfinite(array)
    if not finite.all():
        place = np.argwhere(~finite)[0].tolist()
        raise ValueError(f"{name} holds NaN or infinity, first at {place}; write numbers in [0, 1]")
    if array.size and (array.min() < -_SLACK or array.max() > 1 + _SLACK):
        raise ValueError(
            f"{name} reaches from {array.min():.4g} to {array.max():.4g}; float values must lie in [0, 1] "
            "(uint8 in 0..255)"
        )
    return np.clip(array, 0, 1).astype(np.float32)


def _some(found: list[int], names: list[str]) -> str:
    return ", ".join(names[label - 1] for label in found[:5]) + (" …" if len(found) > 5 else "") or "nothing"
