"""A coarse grid over an image: a cell of it stands for scale x scale pixels."""

import numpy as np


def cells(shape: tuple[int, int], scale: int) -> tuple[int, int]:
    """(h, w) of the grid of an image of (H, W); cells at the border may be cut off."""
    return tuple(-(-side // scale) for side in shape)


def pad_to_cells(array: np.ndarray, scale: int) -> np.ndarray:
    """Repeat the last row and column until every cell is whole."""
    height, width = array.shape[:2]
    if height % scale == 0 and width % scale == 0:
        return array
    return np.pad(array, [(0, -height % scale), (0, -width % scale)] + [(0, 0)] * (array.ndim - 2), mode="edge")


def area_mean(image: np.ndarray, scale: int) -> np.ndarray:
    """Mean colour of each cell; a border cell that is cut off repeats its last row and column.

    Args:
        image: float[H, W, 3] in [0, 1], or uint8[H, W, 3].
        scale: side of a cell in pixels.

    Returns:
        float64[ceil(H / scale), ceil(W / scale), 3] in [0, 1].
    """
    padded = pad_to_cells(image, scale)
    height, width = padded.shape[0] // scale, padded.shape[1] // scale
    # Bytes are summed as integers: exact, and three times as fast.
    whole, kind = (255, np.uint32) if image.dtype == np.uint8 else (1, np.float64)
    columns = padded.reshape(height, scale, width * scale * 3).sum(axis=1, dtype=kind).reshape(height, width, scale, 3)
    total = columns[:, :, 0].copy()
    for k in range(1, scale):
        total += columns[:, :, k]
    return total / float(whole * scale * scale)


def cell_mean(plane: np.ndarray, scale: int) -> np.ndarray:
    """Mean of each cell of a plane, float[H, W] -> float[ceil(H / scale), ceil(W / scale)]; see `area_mean`."""
    padded = pad_to_cells(plane, scale)
    height, width = padded.shape[0] // scale, padded.shape[1] // scale
    return padded.reshape(height, scale, width, scale).mean(axis=(1, 3))
