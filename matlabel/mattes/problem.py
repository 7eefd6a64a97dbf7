"""A matting problem: checked image and trimap, the cases that need no solving, and alphas from the solution."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from matlabel.artifacts.label_image import UNKNOWN


@dataclass(frozen=True)
class DataTerms:
    """The data terms of the matting energy, prior and colour samples, with their weights.

    Weights are in units of the matting Laplacian, a cell of the solved grid: its diagonal is 5 where colours vary and
    8 where they do not (radius 1).

    Attributes:
        prior: uint8 or float [C + 1, h', w'], how likely each label is, background first, non-negative, of any size and
            scale; where it is 0 for every label it says nothing. Not read with prior_weight 0.
        prior_weight: λ.
        samples_weight: weight of the known pixels that are most alike in colour and place.
    """

    prior: np.ndarray | None = None
    prior_weight: float = 0.0
    samples_weight: float = 0.0


@dataclass(frozen=True)
class Problem:
    """A checked image and label trimap.

    Attributes:
        image: float[H, W, 3] in [0, 1], or uint8[H, W, 3].
        trimap: uint8[H, W]: 0 background, a label value where that label is sure, 255 unknown.
        values: the value of every plane of the alphas: 0 for the background, then the labels in the order given.
        known_planes: planes that have known pixels, ascending. The others are 0 everywhere.
        unknown: int64[n], the unknown pixels as indices y * W + x.
        terms: what speaks for labels beside the Laplacian, its planes those of `values`.
    """

    image: np.ndarray
    trimap: np.ndarray
    values: list[int]
    known_planes: list[int]
    unknown: np.ndarray
    terms: DataTerms = DataTerms()

    @classmethod
    def of(
        cls, image: np.ndarray, trimap: np.ndarray, labels: Iterable[int], terms: DataTerms | None = None
    ) -> "Problem":
        """Check the arguments.

        Raises:
            ValueError: every pixel is unknown (and there are labels), the trimap has a known value that is not among
                the labels, or an argument has the wrong shape, type or range.
        """
        image, trimap = np.asarray(image), np.asarray(trimap)
        if trimap.dtype != np.uint8 or trimap.ndim != 2 or trimap.size == 0:
            raise ValueError(f"expected a trimap uint8[H, W], got {trimap.dtype}{list(trimap.shape)}")
        if image.shape != (*trimap.shape, 3):
            raise ValueError(f"expected an image of shape {[*trimap.shape, 3]} as the trimap, got {list(image.shape)}")
        if image.dtype != np.uint8:
            if not np.issubdtype(image.dtype, np.floating):
                raise ValueError(f"expected an image of type uint8 or float, got {image.dtype}")
            if not (image.min() >= 0 and image.max() <= 1):  # also false where a NaN is
                raise ValueError("expected an image of floats in [0, 1]")
        labels = [int(label) for label in labels]
        if len(set(labels)) != len(labels) or any(not 1 <= label <= 254 for label in labels):
            raise ValueError(f"expected distinct labels in 1..254, got {labels}")
        present = occurring(trimap)
        strangers = sorted(set(np.flatnonzero(present).tolist()) - {0, UNKNOWN, *labels})
        if strangers:
            raise ValueError(f"the trimap has known pixels of {strangers}, which are not among the labels {labels}")
        values = [0, *labels]
        known = [plane for plane, value in enumerate(values) if present[value]]
        if labels and not known:
            raise ValueError("every pixel of the trimap is unknown: there is nothing to spread into it")
        return cls(image, trimap, values, known, np.flatnonzero(trimap == UNKNOWN), terms or DataTerms())

    @property
    def needs_solving(self) -> bool:
        """Whether unknown pixels can go to more than one label."""
        return len(self.unknown) > 0 and len(self.values) > 1 and len(self.known_planes) > 1

    @property
    def known_values(self) -> list[int]:
        """The values that have known pixels."""
        return [self.values[plane] for plane in self.known_planes]

    @property
    def solved_values(self) -> list[int]:
        """The values to solve for: all known ones but the first, which is one minus their sum."""
        return self.known_values[1:]

    def alphas(self, raw: np.ndarray | None = None) -> np.ndarray:
        """Alphas from the solution at the unknown pixels.

        Args:
            raw: float[len(solved_values), n], unclipped; not read where nothing needs solving.

        Returns:
            float32[C + 1, H, W], background first, then the labels in the order given. In [0, 1], sums to one at
            every pixel, exactly one-hot at known pixels.
        """
        height, width = self.trimap.shape
        if len(self.values) == 1:
            return np.ones((1, height, width), dtype=np.float32)
        alphas = np.empty((len(self.values), height, width), dtype=np.float32)
        for plane, value in zip(alphas, self.values, strict=True):
            plane[...] = self.trimap == value
        flat = alphas.reshape(len(self.values), -1)
        if self.needs_solving:
            flat[:, self.unknown] = self.soft(raw)
        else:
            flat[self.known_planes[0], self.unknown] = 1
        return alphas

    def soft(self, raw: np.ndarray) -> np.ndarray:
        """float32[C + 1, n]: the alphas at the unknown pixels, from `raw` as in `alphas`."""
        soft = np.zeros((len(self.values), raw.shape[1]), dtype=np.float32)
        soft[self.known_planes[1:]] = raw
        # Σ_k α_k = 1 holds by linearity.
        soft[self.known_planes[0]] = 1 - raw.sum(axis=0)
        # Alphas overshoot a little. Cutting off below 0 only and dividing keeps the order of the planes, and so the
        # winner.
        np.maximum(soft, 0, out=soft)
        soft /= soft.sum(axis=0)
        return soft


Solver = Callable[..., np.ndarray]
"""(image float64[h, w, 3] in [0, 1], trimap uint8[h, w], values) -> float[len(values), h, w], the alpha of each value;
called only where there are unknown pixels and at least two known values. What it says of known pixels is not read. Only
one that takes a `data_terms.DataTerm` as a fourth argument can be used with data terms."""


def occurring(trimap: np.ndarray) -> np.ndarray:
    """Which of the 256 byte values occur: bool[256]."""
    return np.bincount(trimap.ravel(), minlength=256) > 0
