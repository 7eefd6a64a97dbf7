"""What strokes mend: photographs whose label is wrong, corrected by a simulated person, against their true masks.

    python benchmarks/strokes.py results/runs/<variant>/seed-<n> MASKS

A pair of strokes, three pixels wide: the class's in the largest part of the object that the label misses, along its
medial axis, a fifth as long as that of the object's largest part; and the background's in the largest part that the
label wrongly gives the class, as long. Each further pair goes where the label is wrong then.
"""

from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from matting_inputs import Example, examples
from measure import table
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from skimage.morphology import skeletonize

from matlabel.artifacts.context import load_context
from matlabel.artifacts.label_image import VOID
from matlabel.mattes.methods import alphas_of
from matlabel.pixels.resample import resize
from matlabel.processes import over_processes
from matlabel.settings.mattes import MattesSettings
from matlabel.settings.trimaps import TrimapsSettings
from matlabel.trimaps.strokes import correct
from matlabel.trimaps.trimap import label_trimap

EIGHT = np.ones((3, 3), bool)
LENGTH = 0.2
LEAST = 30  # pixels that a person would see


def label_of(
    example: Example, trimaps: TrimapsSettings, mattes: MattesSettings, strokes: np.ndarray | None = None
) -> np.ndarray:
    """uint8[H, W]: the pseudo-label, with strokes or without."""
    classes, planes = np.array(example.labels, np.uint8), example.activations
    if strokes is not None:
        planes = correct(planes, example.image, strokes, classes)
    probabilities = resize(planes.astype(np.float32) / 255, *example.image.shape[:2])
    trimap, _ = label_trimap(probabilities, classes, trimaps, strokes)
    alphas = alphas_of(example.image, example.labels, mattes, trimap=trimap, prior=planes)
    return np.array([0, *example.labels], np.uint8)[alphas.argmax(axis=0)]


def add_pair(example: Example, label: np.ndarray, value: int, strokes: np.ndarray) -> None:
    """Draw a pair of strokes where the label is wrong about a class, or where it is right if it is nowhere wrong."""
    free, mask = strokes < 0, example.mask
    whole = mask == value
    line = _stroke(_first(whole & (label != value) & free, whole & free), len(_axis(_largest(whole))) * LENGTH)
    strokes[line] = value
    empty = (mask == 0) & free
    false = _first(empty & (label == value), empty & (label != 0), empty, least=LEAST)
    strokes[_stroke(false, line.sum() / 3)] = 0


def _first(*regions: np.ndarray, least: int = 1) -> np.ndarray:
    return next((region for region in regions if np.count_nonzero(region) >= least), regions[-1])


def _largest(region: np.ndarray) -> np.ndarray:
    parts, count = ndimage.label(region, EIGHT)
    return parts == 1 + np.bincount(parts.ravel())[1:].argmax() if count else region


def _stroke(region: np.ndarray, length: float) -> np.ndarray:
    """bool[H, W]: along the medial axis of a region's largest part, round where it is thickest."""
    if not region.any():
        return region
    part = _largest(region)
    path, length = _axis(part), max(3, round(length))
    depth = ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1]
    middle = int(depth[tuple(path.T)].argmax())
    first = max(0, min(middle - length // 2, len(path) - length))
    line = np.zeros(region.shape, bool)
    line[tuple(path[first : first + length].T)] = True
    return ndimage.binary_dilation(line, EIGHT) & part


def _axis(part: np.ndarray) -> np.ndarray:
    """int[n, 2]: the longest path along the medial axis of a region."""
    axis = skeletonize(np.pad(part, 1))[1:-1, 1:-1]
    points = np.argwhere(axis)
    if len(points) < 2:
        return np.argwhere(part)[:1]
    number = np.full(part.shape, -1)
    number[axis] = np.arange(len(points))
    ends, lengths = [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = number[: part.shape[0] - down, max(0, -right) : part.shape[1] - max(right, 0)]
        there = number[down:, max(0, right) : part.shape[1] + min(right, 0)]
        both = (here >= 0) & (there >= 0)
        ends.append(np.stack([here[both], there[both]]))
        lengths.append(np.full(np.count_nonzero(both), np.hypot(down, right)))
    graph = coo_array((np.concatenate(lengths), np.concatenate(ends, axis=1)), shape=(len(points),) * 2).tocsr()
    far = dijkstra(graph, directed=False, indices=0)
    start = int(np.where(np.isfinite(far), far, -1).argmax())
    far, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    at, path = int(np.where(np.isfinite(far), far, -1).argmax()), []
    while at >= 0:
        path.append(at)
        at = before[at]
    return points[path]


def iou(label: np.ndarray, mask: np.ndarray, value: int) -> float:
    seen = mask != VOID
    found, true = (label == value) & seen, (mask == value) & seen
    return np.count_nonzero(found & true) / max(1, np.count_nonzero(found | true))


def corrected(
    example: Example, trimaps: TrimapsSettings, mattes: MattesSettings, pairs: int, below: float, above: float
) -> tuple[list[list[float]], float | None]:
    """Of each class that fails its IoU after 0, 1, … pairs; of a right image the share of pixels that a pair moves."""
    label = label_of(example, trimaps, mattes)
    scores = {value: iou(label, example.mask, value) for value in example.labels if (example.mask == value).any()}
    failing = []
    for value in (value for value, score in scores.items() if score < below):
        strokes, now, row = np.full(label.shape, -1, np.int16), label, [scores[value]]
        for _ in range(pairs):
            add_pair(example, now, value, strokes)
            now = label_of(example, trimaps, mattes, strokes)
            row.append(iou(now, example.mask, value))
        failing.append(row)
    if not scores or min(scores.values()) < above:
        return failing, None
    # Where the label is right already: nothing that is drawn tells it anything.
    agreed = Example(**(vars(example) | {"mask": np.where(label == example.mask, example.mask, VOID)}))
    strokes = np.full(label.shape, -1, np.int16)
    add_pair(agreed, np.where(agreed.mask == VOID, VOID, label), max(scores), strokes)
    return failing, float((label_of(example, trimaps, mattes, strokes) != label).mean())


def main(
    run: Annotated[Path, typer.Argument(help="results/runs/<variant>/seed-<n>.")],
    masks: Annotated[Path, typer.Argument(help="True masks, <id>.png.")],
    pairs: int = 3,
    below: Annotated[float, typer.Option(help="A class fails under this IoU.")] = 0.1,
    above: Annotated[float, typer.Option(help="An image is right where all its classes are above this.")] = 0.85,
    workers: int = 2,
) -> None:
    """What strokes mend, and what they change where nothing is to be mended."""
    trimaps = load_context(run / "trimaps" / "settings.yaml", "trimaps", TrimapsSettings).settings
    mattes = load_context(run / "mattes" / "settings.yaml", "mattes", MattesSettings).settings
    given = [item for item in examples(run, masks) if item.mask is not None]
    work = partial(corrected, trimaps=trimaps, mattes=mattes, pairs=pairs, below=below, above=above)
    results = list(over_processes(work, given, workers, "--workers"))
    rows = np.array([row for failing, _ in results for row in failing])
    images = sum(bool(failing) for failing, _ in results)
    print(f"{len(given)} images; {len(rows)} tags of {images} images have an IoU under {below}\n")
    lines = [
        [str(pair), f"{np.median(column):.3f}", f"{column.mean():.3f}", f"{(column >= 0.5).mean():.0%}"]
        for pair, column in enumerate(rows.T)
    ]
    print(table(["pairs of strokes", "median IoU", "mean", "IoU of half and more"], lines))
    changed = np.array([share for _, share in results if share is not None])
    print(
        f"\n{len(changed)} images that are right: a redundant pair changes {np.median(changed):.2%} of the pixels in "
        f"the median, {changed.max():.2%} at most, under 1 % in {(changed < 0.01).mean():.0%}"
    )


if __name__ == "__main__":
    typer.run(main)
