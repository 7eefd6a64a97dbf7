"""What a shard of the stage activations holds of one image, whatever it was read from."""

import numpy as np

from matlabel.artifacts.quantise import quantise


def stored(
    labels: list[int],
    probabilities: np.ndarray,
    agreement: np.ndarray,
    unspread: np.ndarray | None = None,
    embedding: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """The arrays of one image, by name.

    Args:
        labels: label values 1..K of the tags, ascending.
        probabilities: float[C + 1, h, w], background first, non-negative.
        agreement: float[h, w] in [0, 1].
        unspread: the probabilities before spreading, if there was any.
        embedding: float[e, h, w] in [−1, 1], if asked for.

    Returns:
        `classes` uint8[C], `probabilities` uint8[C + 1, h, w] summing to 255, `agreement` uint8[h, w], with
        spreading `unspread` uint8[C + 1, h, w], and if asked for `embedding` uint8[e, h, w], 0 for −1 and 255 for 1.
    """
    arrays = {"classes": np.array(labels, np.uint8), "probabilities": quantise(probabilities)}
    if unspread is not None:
        arrays["unspread"] = quantise(unspread)
    if embedding is not None:
        arrays["embedding"] = np.rint((np.clip(embedding, -1, 1) + 1) * 127.5).astype(np.uint8)
    return {**arrays, "agreement": np.rint(agreement * 255).astype(np.uint8)}
