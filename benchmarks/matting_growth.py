"""How the time grows: with the pixels of an image, and with the share of them that is unknown."""

from functools import partial
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from matting_inputs import Example, chosen, examples
from measure import interleaved, table
from PIL import Image
from scipy import ndimage
from threadpoolctl import threadpool_limits

from matlabel.mattes.closed_form import closed_form
from matlabel.mattes.downsample import choose_scale

MEGAPIXELS = (0.1, 0.2, 0.5, 1, 2, 4, 8, 12)
UNKNOWN = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)


def run(folder: Path, images: int, repeats: int, plot: Path, most: float = 12) -> str:
    """Tables of both, the exponent of the first, and a plot.

    Args:
        folder: results/runs/<variant>/seed-<n>.
        images: photographs of one class that are enlarged, or whose unknown region is changed.
        repeats: turns of each measurement.
        plot: the PNG to write.
        most: megapixels of the largest image, at least 0.2.
    """
    found = chosen(examples(folder), 1, images)
    with threadpool_limits(1):
        sizes = [size for size in MEGAPIXELS if size <= most]
        by_pixels = [[size, *_milliseconds([enlarged(item, size) for item in found], repeats)] for size in sizes]
        by_share = []
        for share in UNKNOWN:
            small = [with_unknown(item, share) for item in found]
            large = [with_unknown(enlarged(item, min(2, most)), share) for item in found]
            by_share.append(
                [f"{100 * share:.0f} %", _milliseconds(small, repeats)[1], _milliseconds(large, repeats)[1]]
            )
    pixels, seconds = np.array([row[0] for row in by_pixels]), np.array([row[2] for row in by_pixels])
    exponent = float(np.polyfit(np.log(pixels), np.log(seconds), 1)[0])
    steepest = float((np.diff(np.log(seconds)) / np.diff(np.log(pixels))).max())
    _plot(plot, by_pixels, by_share, exponent)
    own = ", ".join(f"{np.prod(item.trimap.shape) / 1e6:.2f}" for item in found)
    return "\n\n".join(
        [
            f"{len(found)} photographs of one class ({own} megapixels), one thread, scale auto, median of {repeats}",
            table(["megapixels", "scale", "ms an image"], by_pixels),
            f"time ~ pixels^{exponent:.2f} over the whole range; steepest between two sizes: ^{steepest:.2f}",
            table(["unknown", "ms at own size", "ms at 2 megapixels"], by_share),
            f"plot: {plot}",
        ]
    )


def enlarged(example: Example, megapixels: float) -> Example:
    """The photograph brought to so many pixels, and its trimap with it."""
    height, width = example.trimap.shape
    factor = (megapixels * 1e6 / (height * width)) ** 0.5
    size = (round(width * factor), round(height * factor))
    image = np.asarray(Image.fromarray(example.image).resize(size, Image.Resampling.BICUBIC))
    trimap = np.asarray(Image.fromarray(example.trimap).resize(size, Image.Resampling.NEAREST))
    return Example(example.id, image, trimap, example.labels, example.activations, None)


def with_unknown(example: Example, share: float) -> Example:
    """The same with so large an unknown region: the pixels nearest to where background and object meet."""
    trimap = example.trimap
    sure = trimap != 255
    nearest = ndimage.distance_transform_edt(~sure, return_distances=False, return_indices=True)
    whole = trimap[tuple(nearest)]
    inside = whole > 0
    distance = np.where(inside, *(ndimage.distance_transform_edt(mask) for mask in (inside, ~inside)))
    order = np.argsort(distance, axis=None, kind="stable")
    # The last to go are the deepest pixels of both sides, so that each keeps one.
    keep = [np.argmax(np.where(side, distance, -1)) for side in (inside, ~inside)]
    order = order[~np.isin(order, keep)]
    changed = whole.copy()
    changed.flat[order[: round(share * trimap.size)]] = 255
    return Example(example.id, example.image, changed, example.labels, example.activations, None)


def _milliseconds(found: list[Example], repeats: int) -> tuple[str, float]:
    """The scales that were chosen, and the mean over images of the median time."""
    calls = {
        str(number): partial(closed_form, item.image, item.trimap, item.labels) for number, item in enumerate(found)
    }
    scales = sorted({choose_scale(*item.trimap.shape) for item in found})
    return " and ".join(map(str, scales)), 1000 * float(np.mean(list(interleaved(calls, repeats).values())))


def _plot(path: Path, by_pixels: list[list], by_share: list[list], exponent: float) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    pixels, seconds = [row[0] for row in by_pixels], [row[2] for row in by_pixels]
    left.loglog(pixels, seconds, "o-", label=f"measured, pixels^{exponent:.2f}")
    left.loglog(pixels, [seconds[0] * size / pixels[0] for size in pixels], "--", color="grey", label="pixels^1")
    for size, (_, scale, value) in zip(pixels, by_pixels, strict=True):
        left.annotate(f"scale {scale}", (size, value), fontsize=7, xytext=(3, -10), textcoords="offset points")
    left.set(xlabel="megapixels", ylabel="ms an image", title="scale auto, one thread")
    left.legend()
    shares = [float(row[0].rstrip(" %")) for row in by_share]
    right.plot(shares, [row[1] for row in by_share], "o-", label="own size")
    right.plot(shares, [row[2] for row in by_share], "o-", label="2 megapixels")
    right.set(xlabel="unknown, %", ylabel="ms an image", yscale="log", title="scale auto, one thread")
    right.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
