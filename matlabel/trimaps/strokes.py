"""Strokes: correcting activations that a user's strokes contradict, in the region that the strokes stand for.

Interactive segmentation from scribbles: colour models of both sides as in Rother, Kolmogorov & Blake ("GrabCut",
SIGGRAPH 2004), seeds in a random walk between alike neighbours as in Grady ("Random Walks for Image Segmentation", PAMI
2006). What is ours: the activations are part of the model, and a stroke reaches as far as its own length lets expect.
"""

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from skimage.color import rgb2lab

from matlabel.artifacts.label_image import UNKNOWN
from matlabel.pixels.cells import area_mean, cell_mean
from matlabel.pixels.resample import resize

CELL = 4  # side of a cell of the stored activations, in pixels
MOST_CELLS = 30_000  # half a megapixel; of larger pictures cells of 8 pixels or more are compared

# Chosen on photographs of voc6 whose activations are wrong, with their masks; see docs/results.md.
REACH = 1.5  # how far a claim reaches, in lengths of its stroke: the standard deviation of its falling off
UNLIKE = 6.0  # distance of two colours, in CIE Lab, at which one stands for the other by e^(−1/2)
DIFFERENT = 0.15  # the same of the square roots of two cells' activations
EDGE = 6.0  # difference of neighbouring colours, in CIE Lab, that hinders a walk by e^(−1/2)
FLOOR = 1e-3  # of what a walk passes whatever the colours
MODEL = 0.1  # weight of the colour models, beside the walk's of 1
KEPT = 0.3  # weight of the class's strokes against the background's, where those deny a region
SAMPLES = 400  # cells that stand for a side, and as many for what is drawn of it
CERTAIN = 1e4  # weight of what is drawn
LEAST_REACH = 0.01
DRAWN = 4  # so many cells count for one that is drawn
NOTHING = 1e-3
LEAST_LIKELIHOOD = 1e-6
EIGHT = np.ones((3, 3), bool)


def correct(planes: np.ndarray, image: np.ndarray, strokes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Correct the activations by strokes.

    A stroke of a class that was not believed there claims what is like it around it. A stroke of background in what was
    believed a class takes the whole region away from it where the class is drawn as well, and what is like the stroke
    where it is not. Strokes that say what the activations say change nothing.

    Args:
        planes: uint8[C + 1, h, w], background first, summing to 255; a cell is `CELL` pixels wide.
        image: uint8[H, W, 3].
        strokes: int16[H, W]: -1 nothing, 0 background, 1..K class, 255 unknown.
        classes: uint8[C] label values of the planes after the background.

    Returns:
        uint8[C + 1, h, w], summing to 255 but for rounding.
    """
    values = np.array([0, *classes])
    shares = planes / np.maximum(planes.sum(axis=0, dtype=np.float64), 1)
    drawn = stroked_cells(strokes, planes.shape[1:])
    if not _contradicted(shares, values, drawn).any():
        return planes
    step = 1
    while drawn.size > MOST_CELLS * step**2:
        step *= 2
    before = np.stack([cell_mean(plane, step) for plane in shares])
    after = _corrected(before, image, strokes, values, step * CELL)
    shares = np.maximum(shares + resize(after - before, *drawn.shape), 0) if step > 1 else after
    shares = np.where(drawn >= 0, drawn == values[:, None, None], shares)
    return np.rint(255 * shares / shares.sum(axis=0)).astype(np.uint8)


def _corrected(shares: np.ndarray, image: np.ndarray, strokes: np.ndarray, values: np.ndarray, cell: int) -> np.ndarray:
    """float64[C + 1, h, w]: the shares of each cell, corrected by the strokes."""
    drawn = stroked_cells(strokes, shares.shape[1:], cell)
    looks = _looks(image, shares, cell)
    shares = _denied(shares, values, drawn, looks)
    for plane, value in enumerate(values):
        if (_contradicted(shares, values, drawn) & (drawn == value)).any():
            reach = _reach(strokes == value, drawn.shape, cell) if value else None
            claim = _claim(shares, drawn, looks, value, reach)
            shares = (1 - claim) * shares
            shares[plane] += claim
    return shares


def stroked_cells(strokes: np.ndarray, shape: tuple[int, int], cell: int = CELL) -> np.ndarray:
    """int16[h, w]: the most frequent label drawn in each cell, -1 where there is none or only unknown."""
    padded = np.full((cell * shape[0], cell * shape[1]), -1, np.int16)
    padded[: strokes.shape[0], : strokes.shape[1]] = strokes
    blocks = padded.reshape(shape[0], cell, shape[1], cell).transpose(0, 2, 1, 3)
    found, most = np.full(shape, -1, np.int16), np.zeros(shape, int)
    for value in np.unique(strokes[(strokes >= 0) & (strokes != UNKNOWN)]):
        count = np.count_nonzero(blocks == value, axis=(2, 3))
        found[count > most] = value
        most = np.maximum(most, count)
    return found


def _contradicted(shares: np.ndarray, values: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    return (drawn >= 0) & (values[shares.argmax(axis=0)] != drawn)


def _looks(image: np.ndarray, shares: np.ndarray, cell: int) -> np.ndarray:
    """float64[h, w, 3 + C + 1]: features of each cell, colour and activations, in units of their kernels' widths."""
    # The grain of a surface is no difference of colour.
    colour = ndimage.gaussian_filter(rgb2lab(area_mean(image, cell)), (0.5, 0.5, 0)) / UNLIKE
    return np.concatenate([colour, np.moveaxis(np.sqrt(shares), 0, -1) / DIFFERENT], axis=-1)


def _denied(shares: np.ndarray, values: np.ndarray, drawn: np.ndarray, looks: np.ndarray) -> np.ndarray:
    """The shares after removing classes from regions that background strokes contradict.

    A region of a class is denied by a stroke of background in it, if the class is drawn somewhere, so that it is known
    what it looks like; and another region of the class that holds no stroke is denied, too, if it resembles what the
    background's strokes cover more than what the class's do. Of a denied region that part is kept which is much more
    like the class's strokes.
    """
    shares = shares.copy()
    winner = values[shares.argmax(axis=0)]
    for plane, value in enumerate(values[1:], start=1):
        own, against = drawn == value, (drawn == 0) & (winner == value)
        if not own.any() or not against.any():
            continue
        regions, count = ndimage.label(winner == value, EIGHT)
        denied = np.isin(np.arange(count + 1), regions[against])
        for region in range(1, count + 1):
            inside = regions == region
            if not denied[region] and not own[inside].any():
                seen = _few(looks[inside])
                denied[region] = _likely(seen, looks[against]) > _likely(seen, looks[own])
        inside = denied[regions]
        here, there = (_likelihood(looks[inside], _few(looks[strokes])) for strokes in (against, own))
        taken = _walked(looks, inside, against[inside], own[inside], here / (here + KEPT * there))
        # The slopes of a region go with it: every cell that no other region of the class is nearer to.
        near = ndimage.distance_transform_edt(regions == 0, return_distances=False, return_indices=True)
        gone = inside[tuple(near)]
        gone[inside] = taken >= 0.5
        shares[plane][gone] = 0
        total = shares.sum(axis=0)
        shares[0][total < NOTHING] = 1
        shares /= shares.sum(axis=0)
    return shares


def _claim(
    shares: np.ndarray, drawn: np.ndarray, looks: np.ndarray, value: int, reach: np.ndarray | None
) -> np.ndarray:
    """float64[h, w] in [0, 1]: the share of each cell that the strokes of a label claim.

    A class claims what is like its strokes and within their reach. Background has none, for it has no size: it claims
    what is like its strokes of the regions of classes that they contradict.
    """
    mine = drawn == value
    others = (drawn >= 0) & ~mine
    if reach is not None:
        area = mine | (reach > LEAST_REACH)
    else:
        regions, _ = ndimage.label(shares.argmax(axis=0) > 0, EIGHT)
        area = mine | np.isin(regions, np.setdiff1d(regions[mine], 0))
        reach = np.ones(area.shape)
    found = np.zeros(area.shape)
    seen, ours, theirs = looks[area], mine[area], others[area]
    # At first all that is not drawn stands for the other side, then what the first claim has left to it.
    claimed, left = ours, ~ours
    for _ in range(2):
        here = _likelihood(seen, np.concatenate([_few(seen[claimed]), _few(seen[ours])])) * reach[area]
        there = _likelihood(seen, np.concatenate([_few(seen[left]), np.repeat(_few(seen[theirs]), DRAWN, axis=0)]))
        found[area] = _walked(looks, area, ours, theirs, here / (here + there))
        claimed, left = found[area] > 0.6, found[area] < 0.4
    return found


def _walked(looks: np.ndarray, area: np.ndarray, ones: np.ndarray, zeros: np.ndarray, model: np.ndarray) -> np.ndarray:
    """float64[n] in [0, 1]: probability that a random walk between similar neighbours ends at one.

    Args:
        looks: as `_looks`.
        area: bool[h, w] with n cells, where it walks.
        ones, zeros: bool[n], cells where it surely ends.
        model: float64[n], the chance where it stops on its way.
    """
    weight = np.where(ones | zeros, CERTAIN, MODEL)
    target = np.where(ones, 1.0, np.where(zeros, 0.0, model))
    # (L + W) p = W t
    system = (_laplacian(looks[..., :3] * UNLIKE, area) + diags_array(weight)).tocsc()
    return np.clip(spsolve(system, weight * target), 0, 1)


def _reach(stroke: np.ndarray, shape: tuple[int, int], cell: int) -> np.ndarray:
    """float64[h, w] in [0, 1]: Gaussian fall-off with the distance from each stroke, wider for longer strokes."""
    found = np.zeros(shape)
    middles = np.moveaxis(np.indices(shape), 0, -1) * cell + (cell - 1) / 2
    parts, _ = ndimage.label(stroke, EIGHT)
    for part, box in enumerate(ndimage.find_objects(parts), start=1):
        points = np.argwhere(parts[box] == part) + [side.start for side in box]
        length = np.hypot(*(np.ptp(points, axis=0) + 1))
        distance, _ = cKDTree(points).query(middles)
        found = np.maximum(found, np.exp(-((distance / (REACH * length)) ** 2) / 2))
    return found


def _likelihood(seen: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """float64[n]: Gaussian kernel density of samples, [m, d], at some cells, [n, d]."""
    if not len(samples):
        return np.full(len(seen), LEAST_LIKELIHOOD)
    return np.exp(-cdist(seen, samples, "sqeuclidean") / 2).mean(axis=1) + LEAST_LIKELIHOOD


def _likely(seen: np.ndarray, samples: np.ndarray) -> float:
    return float(_likelihood(seen, _few(samples)).mean())


def _few(seen: np.ndarray) -> np.ndarray:
    return seen[:: 1 + len(seen) // SAMPLES]


def _laplacian(colour: np.ndarray, area: np.ndarray) -> coo_array:
    """Graph Laplacian [n, n] of the 8-connected cells of an area, edges weighted by similarity of colour."""
    height, width = area.shape
    number = np.full(area.shape, -1)
    number[area] = np.arange(np.count_nonzero(area))
    ends, weights = [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = slice(0, height - down), slice(max(0, -right), width - max(right, 0))
        there = slice(down, height), slice(max(0, right), width + min(right, 0))
        both = area[here] & area[there]
        unlike = ((colour[here] - colour[there])[both] ** 2).sum(axis=-1)
        ends.append(np.stack([number[here][both], number[there][both]]))
        weights.append((np.exp(-unlike / (2 * EDGE**2)) + FLOOR) / np.hypot(down, right))
    (start, end), weight = np.concatenate(ends, axis=1), np.concatenate(weights)
    size = np.count_nonzero(area)
    graph = coo_array((weight, (start, end)), shape=(size, size)).tocsr()
    graph = graph + graph.T
    return diags_array(np.asarray(graph.sum(axis=1)).ravel()) - graph
