"""One image to its alphas, by the method that the settings name."""

from functools import partial

import numpy as np

from matlabel.mattes.activations import enlarge_activations
from matlabel.mattes.grid import matte
from matlabel.mattes.problem import Evidence, Solver
from matlabel.settings.mattes import WITHOUT_TRIMAP, MattesSettings


def alphas_of(
    image: np.ndarray,
    labels: list[int],
    settings: MattesSettings,
    *,
    trimap: np.ndarray | None = None,
    activations: np.ndarray | None = None,
    drawn: np.ndarray | None = None,
    device: str = "cpu",
) -> np.ndarray:
    """Alphas of the background and every label.

    Args:
        image: uint8[H, W, 3], or float[H, W, 3] in [0, 1].
        labels: label values of the image's tags.
        settings: method and its parameters.
        trimap: uint8[H, W] label trimap; not read by `crf` and `none`.
        activations: uint8[C + 1, h, w], background first; read by `crf`, `none` and with a prior
            or contour.
        drawn: bool[H, W], where a person has drawn into the trimap; read with activations.
        device: where a network runs (`vitmatte`).

    Returns:
        float32[C + 1, H, W], background first, summing to one at every pixel.

    Raises:
        ValueError: as `grid.matte`.
        UserError: an optional package or the network is missing.
    """
    if settings.method not in WITHOUT_TRIMAP:
        evidence = evidence_of(settings, activations, drawn)
        return matte(image, trimap, labels, solver_of(settings, device), settings.scale, evidence)
    probabilities = enlarge_activations(activations, *image.shape[:2])
    if settings.method == "none":
        return probabilities
    from matlabel.mattes.comparisons.crf import mean_field

    return mean_field(image, probabilities, **settings.crf.model_dump())


def evidence_of(
    settings: MattesSettings,
    activations: np.ndarray | None,
    drawn: np.ndarray | None = None,
) -> Evidence | None:
    """What pulls beside the Laplacian; None where the method takes nothing, or the settings give nothing any weight.

    Raises:
        ValueError: what the settings read is missing.
    """
    if settings.method != "closed_form" or not (settings.reads or settings.sampling):
        return None
    if settings.reads and activations is None:
        raise ValueError("the settings of mattes read the activations' probabilities, which is missing")
    return Evidence(activations, settings.prior, drawn=drawn, contour=settings.contour, sampling=settings.sampling)


def solver_of(settings: MattesSettings, device: str = "cpu") -> Solver:
    """The solver of a method that reads a trimap, with its parameters filled in.

    Raises:
        UserError: the network of `vitmatte` is not there.
    """
    epsilon, radius = settings.epsilon, settings.radius
    match settings.method:
        case "closed_form":
            from matlabel.mattes import closed_form

            return partial(closed_form.solve, epsilon=epsilon, radius=radius)
        case "lbdm":
            from matlabel.mattes.comparisons import lbdm

            return lambda *problem: lbdm.solve(*problem, epsilon, radius)
        case "knn":
            from matlabel.mattes.comparisons import knn

            return knn.solve
        case "random_walk":
            from matlabel.mattes.comparisons import random_walk

            return random_walk.solve
        case "vitmatte":
            from matlabel.mattes.comparisons.vitmatte import load

            return load(settings.weights, device)
    raise ValueError(f"method {settings.method} does not read a trimap")
