"""Confidence interval of mIoU over the choice of images: Efron's percentile bootstrap."""

import numpy as np

from matlabel.evaluation.confusion import mean_iou


def interval(
    intersections: np.ndarray, unions: np.ndarray, resamples: int, seed: int = 0, level: float = 0.95
) -> tuple[float, float] | None:
    """Percentile interval of mIoU under resampling of images with replacement.

    Args:
        intersections, unions: int64[N, K + 1], those of each image (`confusion.counts` of its own matrix).
        resamples: sets that are drawn, of N images each.
        seed: of the draws.
        level: share of the resamples that the interval holds.

    Returns:
        lower and upper bound; None with fewer than two images, no resamples, or nothing counted.
    """
    images = len(unions)
    if images < 2 or resamples == 0 or not np.any(unions):
        return None
    generator = np.random.default_rng(seed)
    # Sums of whole numbers below 2^53 are exact in float64 and reach BLAS, which integers do not.
    intersections, unions = np.asarray(intersections, np.float64), np.asarray(unions, np.float64)
    values = np.empty(resamples)
    for number in range(resamples):
        times = np.bincount(generator.integers(images, size=images), minlength=images).astype(np.float64)
        values[number] = mean_iou(times @ intersections, times @ unions)
    tail = 100 * (1 - level) / 2
    low, high = np.nanpercentile(values, [tail, 100 - tail])
    return float(low), float(high)
