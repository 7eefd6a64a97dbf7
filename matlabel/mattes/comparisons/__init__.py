"""Methods that closed-form matting is compared with, by name in one dict."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matlabel.mattes.grid import matte
from matlabel.mattes.problem import Solver
from matlabel.settings.mattes import MattesSettings


@dataclass(frozen=True)
class Given:
    """The inputs of a method for one image.

    Attributes:
        image: uint8[H, W, 3], or float[H, W, 3] in [0, 1].
        labels: label values of the image's tags.
        trimap: uint8[H, W] label trimap; None for methods that take none.
        prior: float32[C + 1, H, W], the activations at the size of the image, summing to one; None for methods that
            take a trimap.
        device: where a network runs.
    """

    image: np.ndarray
    labels: list[int]
    trimap: np.ndarray | None
    prior: np.ndarray | None
    device: str

    def matted(self, solver: Solver, settings: MattesSettings) -> np.ndarray:
        """Alphas by a trimap-based solver, on the grid that the settings say."""
        return matte(self.image, self.trimap, self.labels, solver, settings.scale)


Method = Callable[[Given, MattesSettings], np.ndarray]
"""-> float32[C + 1, H, W], background first, summing to one at every pixel."""


def _knn(given: Given, settings: MattesSettings) -> np.ndarray:
    from matlabel.mattes.comparisons.knn import solve

    return given.matted(solve, settings)


def _lbdm(given: Given, settings: MattesSettings) -> np.ndarray:
    from matlabel.mattes.comparisons.lbdm import solve

    return given.matted(lambda *problem: solve(*problem, settings.epsilon, settings.radius), settings)


def _random_walk(given: Given, settings: MattesSettings) -> np.ndarray:
    from matlabel.mattes.comparisons.random_walk import solve

    return given.matted(solve, settings)


def _vitmatte(given: Given, settings: MattesSettings) -> np.ndarray:
    from matlabel.mattes.comparisons.vitmatte import load

    return given.matted(load(settings.weights, given.device), settings)


def _crf(given: Given, settings: MattesSettings) -> np.ndarray:
    from matlabel.mattes.comparisons.crf import mean_field

    return mean_field(given.image, given.prior, **settings.crf.model_dump())


# Another one is a file, a line here and its name in the settings; a test holds these together.
METHODS: dict[str, Method] = {
    "knn": _knn,
    "lbdm": _lbdm,
    "random_walk": _random_walk,
    "vitmatte": _vitmatte,
    "crf": _crf,
}
