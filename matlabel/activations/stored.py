"""The arrays that a shard of the stage activations holds for one image, whatever their source."""

import numpy as np

from matlabel.artifacts.quantise import quantise


def stored(labels: list[int], probabilities: np.ndarray, unspread: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The arrays of one image, by name.

    Args:
        labels: label values 1..K of the tags, ascending.
        probabilities: float[C + 1, h, w], background first, non-negative.
        unspread: the probabilities before spreading, if there was any.

    Returns:
        `classes` uint8[C], `probabilities` uint8[C + 1, h, w] summing to 255, and with spreading `unspread` of the
        same shape.
    """
    arrays = {"classes": np.array(labels, np.uint8), "probabilities": quantise(probabilities)}
    if unspread is not None:
        arrays["unspread"] = quantise(unspread)
    return arrays
