"""User-supplied maps of an image, <id>.npz, checked and turned into probabilities; never unpickled.

classes     label values 1..K (integers) or class names (a unicode array), [C]
maps        float in [0, 1] or uint8 in 0..255, [C, h, w], of the photograph's shape at any scale
background  likewise, [h, w]; optional, else (1 - max of the tagged classes' maps)^gamma
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from matlabel.activations.map_shape import check_shape
from matlabel.artifacts.errors import UserError, did_you_mean
from matlabel.artifacts.naming import some
from matlabel.artifacts.npy import Header
from matlabel.artifacts.npz import read_npz

ARRAYS = ("classes", "maps", "background")
# Bytes of a file, and of an array in it: twice as many are in memory while it is turned into probabilities.
MOST_BYTES = 512 * 2**20
# Maps may be larger than their photograph, where that was made smaller, but not without end.
_MOST_TIMES = 64
# Softmax and division leave a float a few units in the last place above 1.
_SLACK = 1e-5


@dataclass(frozen=True)
class Maps:
    """The maps of one image, read from its file.

    Attributes:
        probabilities: float32[C + 1, h, w] of the tagged classes, background first, summing to one; a pixel where all
            is 0 is background.
        silent: label values of the tagged classes whose map says nothing of where they are: it is the same
            everywhere, or the very map of another tagged class.
    """

    probabilities: np.ndarray
    silent: list[int]


def read_maps(
    path: Path, content: bytes, labels: list[int], names: list[str], gamma: float, size: tuple[int, int]
) -> Maps:
    """The maps of an image's tagged classes, as probabilities at the file's own resolution.

    Maps of classes that the image is not tagged with are left out: the tags decide, as for every source.

    Args:
        path: of the file, for messages.
        content: its bytes.
        labels: label values 1..K of the image's tags, ascending, at least one.
        names: all class names.
        gamma: without `background`, larger takes more from it.
        size: height and width of the photograph.

    Raises:
        UserError: not such a file, not of this photograph's shape, or no map of a tagged class; the message names the
            file, the array and the fix.
    """
    try:
        arrays = read_npz(content, ARRAYS, lambda name, header: _check_size(name, header, len(names), size))
        for name in ARRAYS[:2]:
            if name not in arrays:
                raise ValueError(f"no array {name}; it holds {', '.join(arrays) or 'none'}")
        found = _labels(arrays["classes"], names)
        check_shape(arrays["maps"].shape, len(found), size)
        for name in ARRAYS[1:]:
            if name in arrays:
                _check_type(name, arrays[name])
        missing = [names[label - 1] for label in labels if label not in found]
        if missing:
            raise ValueError(
                f"classes holds {some([names[label - 1] for label in found]) or 'nothing'}, but the image is tagged "
                f"{', '.join(missing)}; "
                "add the map, or correct the tags"
            )
        scores = np.empty((len(labels) + 1, *arrays["maps"].shape[1:]), np.float32)
        for plane, label in enumerate(labels, 1):
            place = found.index(label)
            scores[plane] = _shares("maps", arrays["maps"][place], [place])
        scores[0] = (1 - scores[1:].max(0)) ** np.float32(gamma)
        if "background" in arrays:
            if arrays["background"].shape != scores.shape[1:]:
                raise ValueError(
                    f"background has the shape {list(arrays['background'].shape)}, "
                    f"but the maps are {list(scores.shape[1:])}; it must be as large"
                )
            scores[0] = _shares("background", arrays["background"], [])
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
    silent = _silent(labels, scores[1:])
    total = scores.sum(0)
    # A ∝ [background, M_1 … M_C]
    scores[0][total == 0] = 1
    total[total == 0] = 1
    scores /= total
    return Maps(scores, silent)


def _check_size(name: str, header: Header, classes: int, size: tuple[int, int]) -> None:
    """Refuse an array before it is read: an archive of 1 MB can hold 1 GB of zeros."""
    count = header.size // header.dtype.itemsize if header.size else 0
    if name == "classes":
        most, bytes_ = classes * 8, 2**20
    else:
        most, bytes_ = min(_MOST_TIMES * max(classes, 1) * size[0] * size[1], MOST_BYTES // 4), MOST_BYTES
    if count > most or header.size > bytes_:
        raise ValueError(
            f"{name} has the shape {list(header.shape)}, {header.dtype}: too large for a photograph of "
            f"{size[1]} × {size[0]} and {classes} classes; a quarter of its sides is what is kept, save that"
        )


def _labels(classes: np.ndarray, names: list[str]) -> list[int]:
    """Label values 1..K of the array `classes`."""
    if classes.ndim != 1:
        raise ValueError(f"classes has the shape {list(classes.shape)}; it must be a list, [C]")
    if classes.dtype.kind == "U":
        for name in classes.tolist():
            if name not in names:
                raise ValueError(f'classes: "{name:.80}" is no class of the data{did_you_mean(name, names)}')
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


def _check_type(name: str, array: np.ndarray) -> None:
    if array.dtype == np.uint8:
        # 1 is the most of 0..255 that a mask of zeros and ones has: read as it stands, it would be nearly black.
        if array.size and array.max() == 1:
            raise ValueError(f"{name} is uint8 and holds only 0 and 1, of 0..255; save 255 * {name}, or float32")
    elif array.dtype.kind != "f":
        raise ValueError(f"{name} is {array.dtype}; save float in [0, 1] or uint8 in 0..255")


def _shares(name: str, array: np.ndarray, place: list[int]) -> np.ndarray:
    """One map of an array, [h, w], as float32 in [0, 1]; `place` names it in messages."""
    if array.dtype == np.uint8:
        return array.astype(np.float32) / 255
    finite = np.isfinite(array)
    if not finite.all():
        first = [*place, *np.argwhere(~finite)[0].tolist()]
        raise ValueError(f"{name} holds NaN or infinity, first at {first}; write numbers in [0, 1]")
    low, high = array.min(), array.max()
    if low < -_SLACK or high > 1 + _SLACK:
        raise ValueError(
            f"{name} reaches from {low:.4g} to {high:.4g}; float values must lie in [0, 1] (uint8 in 0..255)"
        )
    return np.clip(array, 0, 1).astype(np.float32)


def _silent(labels: list[int], maps: np.ndarray) -> list[int]:
    """Label values whose map in float32[C, h, w] is constant or equal to another one's."""
    found = []
    for plane, label in enumerate(labels):
        others = (maps[other] for other in range(len(labels)) if other != plane)
        if maps[plane].size > 1 and (np.ptp(maps[plane]) == 0 or any((maps[plane] == other).all() for other in others)):
            found.append(label)
    return found
