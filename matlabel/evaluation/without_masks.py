"""Statistics of trimaps and labels that need no true masks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from matlabel.artifacts.label_image import UNKNOWN, VOID


class WithoutMasks:
    """Shares over all pixels of all training images, masks or not.

    Args:
        names: of the labels 0..K.
    """

    def __init__(self, names: list[str]):
        self._names = names
        self._pixels = self._void = self._margin = 0
        self._margin_pixels = self._trimap_pixels = self._unknown = 0
        self._enforced = np.zeros(len(names), np.int64)
        self._enforced_images = self._tags = self._objects = self._tagged_pixels = 0

    def add_labels(self, labels: np.ndarray, margin: np.ndarray | None, tags: Sequence[int]) -> float:
        """Count an image, and return the share that objects cover.

        Args:
            labels: uint8[H, W].
            margin: of that shape, if it was stored.
            tags: label values of its tags.
        """
        self._pixels += labels.size
        self._void += int((labels == VOID).sum())
        if margin is not None:
            self._margin_pixels += margin.size
            self._margin += int(margin.sum(dtype=np.int64))
        objects = int(((labels > 0) & (labels != VOID)).sum())
        if tags:
            self._tagged_pixels += labels.size
            self._objects += objects
        return objects / labels.size

    def add_trimap(self, trimap: np.ndarray, enforced: np.ndarray, tags: Sequence[int]) -> float:
        """Count a trimap, and return the share that it leaves unknown.

        Args:
            trimap: uint8[H, W].
            enforced: uint8[n], label values whose sure region had to be enforced.
            tags: label values of the image's tags.
        """
        self._trimap_pixels += trimap.size
        unknown = int((trimap == UNKNOWN).sum())
        self._unknown += unknown
        self._tags += len(tags)
        np.add.at(self._enforced, enforced.astype(np.int64), 1)
        self._enforced_images += enforced.size > 0
        return unknown / trimap.size

    def summary(self) -> dict[str, Any]:
        """Section "without_masks" of scores.json (see stage.py)."""
        trimaps = self._trimap_pixels > 0
        return {
            "void_share": self._void / self._pixels if self._pixels else None,
            "margin": self._margin / self._margin_pixels / 255 if self._margin_pixels else None,
            "unknown_share": self._unknown / self._trimap_pixels if trimaps else None,
            "cover": self._objects / self._tagged_pixels if self._tagged_pixels else None,
            "enforced": {"images": self._enforced_images, **self._by_label()} if trimaps else None,
        }

    def _by_label(self) -> dict[str, Any]:
        return {
            "regions": int(self._enforced.sum()),
            "share": int(self._enforced[1:].sum()) / self._tags if self._tags else None,
            "by_class": dict(zip(self._names, self._enforced.tolist(), strict=True)),
        }
