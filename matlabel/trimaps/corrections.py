"""Reading corrections: strokes drawn over an image in the palette's colours on transparency."""

from pathlib import Path

import numpy as np
from scipy.ndimage import label, maximum_filter, minimum_filter
from scipy.optimize import nnls
from scipy.spatial.distance import cdist

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import UNKNOWN, voc_palette
from matlabel.artifacts.picture import MASKS, WrongSizeError, open_picture
from matlabel.artifacts.reading import read_bytes, read_unchanged

_NEAR = 32
# A colour that is not this much nearer to one label's than to any other's is no label's.
_NEARER = 1.5
# How far from a mixture of labels' colours a blend of them may lie: rounding, several times over.
_BLEND = 8
_COARSE = 4
# More are a photograph: the soft edges of a dozen classes have some thousands.
_MOST_COLOURS = 30_000
# Side of a square of one colour that no soft edge has.
_SOLID = 5
_OPAQUE = 128


def read_correction(
    path: Path, shape: tuple[int, int], labels: list[int], names: list[str], sha256: str | None = None
) -> np.ndarray:
    """Read a correction.

    Only what the image is tagged with, background and void can be drawn. A brush with soft edges blends their colours:
    such pixels are no opinion, and never the class whose colour a blend happens to meet.

    Args:
        path: a PNG with transparency, or a label image, which decides every pixel; alpha under 128 means no opinion,
            VOC's void colour unknown, any other colour the nearest one that may be drawn, within a distance of 32 and
            clearly nearer than the second.
        shape: (H, W) of the image.
        labels: label values 1..K of the image's tags.
        names: all class names.
        sha256: of the bytes that it must have.

    Returns:
        int16[H, W]: -1 no opinion, 0 background, 1..K class, 255 unknown.

    Raises:
        UserError: unreadable, of other bytes or another size, or drawn in the colour of a class that is not tagged or
            of no class; the first such place is named.
    """
    data = read_bytes(path) if sha256 is None else read_unchanged(path, sha256)
    try:
        picture = open_picture(data, MASKS, size=shape)
        drawn = np.asarray(picture.convert("RGBA"))
    except WrongSizeError as error:
        height, width = error.size
        raise UserError(
            f"{path}: {width} × {height} pixels, the image has {shape[1]} × {shape[0]}; draw on a layer of the "
            "image's size"
        ) from error
    except ValueError as error:
        raise UserError(f"{path}: not a readable correction ({error})") from error
    opinion = np.full(shape, -1, np.int16)
    stroke = drawn[..., 3] >= _OPAQUE
    if not stroke.any():
        if drawn[..., 3].any():
            raise UserError(f"{path}: what is drawn is hardly there (less than half opaque); draw it opaque")
        return opinion
    colours, which = np.unique(drawn[stroke][:, :3], axis=0, return_inverse=True)
    # A label image is meant to say all; a layer that was flattened over black or the photograph is a slip.
    flattened = stroke.all() and picture.mode != "P"
    if flattened or len(colours) > _MOST_COLOURS:
        what = "nothing in it is transparent, so that every pixel would count" if flattened else "a whole picture"
        raise UserError(f"{path}: {what}; save the layer of the strokes alone, over transparency")
    values = np.array([0, *labels, UNKNOWN])
    candidates = voc_palette()[values].astype(float)
    distance = cdist(colours.astype(float), candidates)
    nearest, second = np.partition(distance, 1, axis=1)[:, :2].T
    clear = (nearest <= _NEAR) & (second >= _NEARER * nearest)
    opinion[stroke] = np.where(clear, values[distance.argmin(1)], -1)[which.reshape(-1)]
    labelled = opinion >= 0
    # Of a soft brush, a label whose own colour others' blends meet is drawn only where colours do not pass through it.
    between = values[_between(candidates)]
    if len(between) and not clear.all():
        opinion[np.isin(opinion, between) & _passing(drawn)] = -1
    soft = np.zeros(len(colours), bool)
    soft[~clear] = _is_blend(colours[~clear].astype(float), candidates)
    strange = np.zeros(shape, bool)
    strange[stroke] = (~clear & ~soft)[which.reshape(-1)]
    soft_pixels = np.zeros(shape, bool)
    soft_pixels[stroke] = soft[which.reshape(-1)]
    strange |= soft_pixels & (_solid(drawn) | ~_near_labels(soft_pixels, labelled))
    if strange.any():
        row, column = map(int, np.argwhere(strange)[0])
        raise UserError(f"{path}: {_complaint(drawn[row, column, :3], row, column, labels, names)}")
    return opinion


def _near_labels(soft: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """bool[H, W]: soft pixels connected to a labelled one, as the soft edge of a brush is."""
    eight = np.ones((3, 3), bool)
    parts, _ = label(soft | labelled, eight)
    return np.isin(parts, np.unique(parts[labelled])) & (parts > 0)


def _is_blend(colours: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """bool[N]: colours, [N, 3], that are convex combinations of the candidates, [M, 3], up to a tolerance."""
    coarse, which = np.unique(np.rint(colours / _COARSE), axis=0, return_inverse=True)
    # The sum weighs so much that it holds.
    mixing = np.vstack([candidates.T, np.full(len(candidates), 1e4)])
    residual = [nnls(mixing, np.append(_COARSE * colour, 1e4))[1] for colour in coarse]
    return (np.array(residual) <= _BLEND)[which.reshape(-1)]


def _between(candidates: np.ndarray) -> np.ndarray:
    """bool[M]: candidates, [M, 3], that are close to a blend of other candidates."""
    others = [np.delete(candidates, index, axis=0) for index in range(len(candidates))]
    mixtures = [np.vstack([other.T, np.full(len(other), 1e4)]) for other in others]
    residuals = [nnls(mixing, np.append(colour, 1e4))[1] for mixing, colour in zip(mixtures, candidates, strict=True)]
    return np.array(residuals) <= _NEAR


def _passing(drawn: np.ndarray) -> np.ndarray:
    """bool[H, W]: the colour lies between those of two opposite neighbours."""
    colour = drawn[..., :3].astype(np.int32)
    opaque = drawn[..., 3] >= _OPAQUE
    found = np.zeros(opaque.shape, bool)
    inner = (slice(1, -1), slice(1, -1))
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        rows, columns = opaque.shape
        one = (slice(1 + down, rows - 1 + down), slice(1 + right, columns - 1 + right))
        other = (slice(1 - down, rows - 1 - down), slice(1 - right, columns - 1 - right))
        opposite = ((colour[one] - colour[inner]) * (colour[other] - colour[inner])).sum(2) < 0
        found[inner] |= opposite & opaque[one] & opaque[other]
    return found & opaque


def _solid(drawn: np.ndarray) -> np.ndarray:
    """bool[H, W]: the pixel lies in an opaque square of one colour."""
    opaque = drawn[..., 3] >= _OPAQUE
    colour = np.where(opaque, drawn[..., :3].astype(np.int32) @ [1 << 16, 1 << 8, 1], -1)
    return opaque & (maximum_filter(colour, _SOLID) == minimum_filter(colour, _SOLID))


def _complaint(colour: np.ndarray, row: int, column: int, labels: list[int], names: list[str]) -> str:
    distance = np.linalg.norm(voc_palette()[1 : len(names) + 1].astype(float) - colour, axis=1)
    if distance.min() <= _NEAR:
        tagged = ", ".join(names[value - 1] for value in labels) or "with nothing"
        return (
            f"{names[int(distance.argmin())]} drawn at row {row}, column {column}, but the image is tagged {tagged}; "
            "correct the tags first"
        )
    written = "#" + "".join(f"{channel:02x}" for channel in colour)
    return f"colour {written} at row {row}, column {column} is near no colour that may be drawn here"
