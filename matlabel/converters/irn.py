"""Class activation maps as IRN and its descendants save them, one dictionary an image.

IRN, AdvCAM …   keys: class indices [C]; high_res: float [C, H, W]; cam: the same at a quarter of the size
SEAM …          class index -> float [H, W]
"""

from typing import Any, Literal

import numpy as np

# IRN divides by the maximum plus 1e-5; others leave a float a few units in the last place above 1.
_SLACK = 1e-5
Array = Literal["high_res", "cam"]


def class_maps(found: Any, first: int = 0, array: Array | None = None) -> tuple[list[int], np.ndarray]:
    """Label values and maps of an image.

    Args:
        found: what its file holds.
        first: the index that stands for the first class.
        array: which maps to take where there are two; None: high_res, if it is there.

    Returns:
        label values 1..K [C], ascending, and float32[C, h, w] in [0, 1]; both empty where the image has no class.

    Raises:
        ValueError: no such dictionary, or maps that are not in [0, 1].
    """
    if type(found) is not dict:
        raise ValueError(f"holds a {type(found).__name__} and not a dictionary")
    if "keys" in found:
        keys = _indices(found["keys"])
        name = array or ("high_res" if "high_res" in found else "cam")
        if name not in found:
            raise ValueError(f"has no array {name}; it holds {_names(found)}")
        maps = found[name]
        if not keys:
            return [], np.empty((0, 0, 0), np.float32)
        if not isinstance(maps, np.ndarray) or maps.ndim != 3 or len(maps) != len(keys) or not maps.size:
            shape = list(maps.shape) if isinstance(maps, np.ndarray) else type(maps).__name__
            raise ValueError(f"{name} has the shape {shape}; with {len(keys)} keys it must be [{len(keys)}, h, w]")
        planes = list(maps)
    elif all(isinstance(key, (int, np.integer)) and type(key) is not bool for key in found):
        if array:
            raise ValueError(f"has a map for each class, and no array {array}")
        keys, planes = _indices(list(found)), list(found.values())
        if not keys:
            return [], np.empty((0, 0, 0), np.float32)
        if not all(isinstance(plane, np.ndarray) and plane.ndim == 2 and plane.size for plane in planes):
            raise ValueError("holds values by number that are no maps, [h, w]")
        if len({plane.shape for plane in planes}) > 1:
            raise ValueError(f"its maps have different shapes: {sorted({plane.shape for plane in planes})!s:.100}")
    else:
        raise ValueError(f"holds {_names(found)}; known are keys with high_res or cam, or a map for each class index")
    labels = [key - first + 1 for key in keys]
    if min(labels) < 1:
        raise ValueError(f"has a class {min(keys)}, but the first one is {first}")
    if len(set(labels)) < len(labels):
        raise ValueError("names a class twice")
    order = np.argsort(labels)
    return [labels[place] for place in order], np.stack([_share(planes[place]) for place in order])


def _indices(keys: Any) -> list[int]:
    values = keys.tolist() if isinstance(keys, np.ndarray) else keys
    if not isinstance(values, (list, tuple)) or not all(
        isinstance(key, (int, np.integer)) and type(key) is not bool for key in values
    ):
        raise ValueError("its keys are no list of class indices")
    return [int(key) for key in values]


def _share(plane: np.ndarray) -> np.ndarray:
    """A map as float32 in [0, 1]."""
    if plane.dtype.kind != "f":
        raise ValueError(f"its maps are {plane.dtype}; float in [0, 1] is read")
    low, high = plane.min(), plane.max()
    if not (low >= -_SLACK and high <= 1 + _SLACK):
        raise ValueError(
            f"its maps reach from {low:.4g} to {high:.4g}; float in [0, 1] is read: divide each by its maximum"
        )
    return np.clip(plane, 0, 1).astype(np.float32)


def _names(found: dict) -> str:
    shown = ", ".join(f"{key!s:.40}" for key in list(found)[:5])
    return (shown + (" …" if len(found) > 5 else "")) or "nothing"
