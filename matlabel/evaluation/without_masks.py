"""What can be said of trimaps and labels without any true mask."""

from typing import Any

import numpy as np

from matlabel.artifacts.label_image import VOID


class WithoutMasks:
    """Shares over all pixels of all training images, masks or not.

    Args:
        names: of the labels 0..K.
    """

    def __init__(self, names: list[str]):
        self._names = names
        self._pixels = self._void = self._confidence = 0
        self._confident_pixels = self._trimap_pixels = self._unknown = 0
        self._enforced = np.zeros(len(names), np.int64)
        self._enforced_images = 0

    def add_labels(self, labels: np.ndarray, confidence: np.ndarray | None) -> None:
        """Count the labels of an image, uint8[H, W], and their confidence of that shape, if it was stored."""
        self._pixels += labels.size
        self._void += int((labels == VOID).sum())
        if confidence is not None:
            self._confident_pixels += confidence.size
            self._confidence += int(confidence.sum(dtype=np.int64))

    def add_trimap(self, trimap: np.ndarray, enforced: np.ndarray) -> None:
        """Count a trimap, uint8[H, W], and the label values, uint8[n], whose sure region had to be enforced."""
        self._trimap_pixels += trimap.size
        self._unknown += int((trimap == VOID).sum())
        np.add.at(self._enforced, enforced.astype(np.int64), 1)
        self._enforced_images += enforced.size > 0

    def summary(self) -> dict[str, Any]:
        """Section "without_masks" of scores.json (see stage.py)."""
        trimaps = self._trimap_pixels > 0
        return {
            "void_share": self._void / self._pixels if self._pixels else None,
            "confidence": self._confidence / self._confident_pixels / 255 if self._confident_pixels else None,
            "unknown_share": self._unknown / self._trimap_pixels if trimaps else None,
            "enforced": {"images": self._enforced_images, **self._by_label()} if trimaps else None,
        }

    def _by_label(self) -> dict[str, Any]:
        return {
            "regions": int(self._enforced.sum()),
            "by_class": dict(zip(self._names, self._enforced.tolist(), strict=True)),
        }
