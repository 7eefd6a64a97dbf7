"""Alphas of one image by the matting method that the settings name."""

from functools import partial

import numpy as np

from matlabel.mattes.activations import enlarge_activations
from matlabel.mattes.comparisons import METHODS, Given
from matlabel.mattes.grid import matte
from matlabel.mattes.problem import DataTerms, Solver
from matlabel.settings.mattes import WITHOUT_TRIMAP, MattesSettings


def alphas_of(
    image: np.ndarray,
    labels: list[int],
    settings: MattesSettings,
    *,
    trimap: np.ndarray | None = None,
    prior: np.ndarray | None = None,
    device: str = "cpu",
) -> np.ndarray:
    """Alphas of the background and every label.

    Args:
        image: uint8[H, W, 3], or float[H, W, 3] in [0, 1].
        labels: label values of the image's tags.
        settings: method and its parameters.
        trimap: uint8[H, W] label trimap; not read by `crf` and `none`.
        prior: uint8[C + 1, h, w], the activations, background first; read by `crf`, `none` and with mattes.prior.
        device: where a network runs (`vitmatte`).

    Returns:
        float32[C + 1, H, W], background first, summing to one at every pixel.

    Raises:
        ValueError: as `grid.matte`.
        UserError: an optional package or the network is missing.
    """
    if settings.method == "closed_form":
        return matte(image, trimap, labels, closed_form_of(settings), settings.scale, terms_of(settings, prior))
    enlarged = enlarge_activations(prior, *image.shape[:2]) if settings.method in WITHOUT_TRIMAP else None
    if settings.method == "none":
        return enlarged
    return METHODS[settings.method](Given(image, labels, trimap, enlarged, device), settings)


def terms_of(settings: MattesSettings, prior: np.ndarray | None) -> DataTerms:
    """The data terms of closed-form matting, weighted as the settings say.

    Raises:
        ValueError: mattes.prior has a weight, and there is no prior.
    """
    if settings.prior and prior is None:
        raise ValueError("mattes.prior has a weight, but the activations' probabilities are missing")
    return DataTerms(prior, settings.prior, settings.samples)


def closed_form_of(settings: MattesSettings) -> Solver:
    """The solver of closed-form matting with the parameters of the settings."""
    from matlabel.mattes import closed_form

    return partial(closed_form.solve, epsilon=settings.epsilon, radius=settings.radius)
