"""Matting on a coarse grid of the image by any solver, and upsampling its alphas to full size."""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from matlabel.mattes import downsample
from matlabel.mattes.data_terms import data_term
from matlabel.mattes.problem import DataTerms, Problem, Solver
from matlabel.mattes.upsample import upsample
from matlabel.pixels.cells import area_mean

Scale = Literal["auto", 1, 2, 4]


def matte(
    image: np.ndarray,
    trimap: np.ndarray,
    labels: Iterable[int],
    solver: Solver,
    scale: Scale = "auto",
    terms: DataTerms | None = None,
) -> np.ndarray:
    """Alphas of the background and of every label of an image.

    The problem is solved on a grid of scale x scale cells and brought to full size by local-linear upsampling; that
    is for labels, soft alphas for compositing want scale 1.

    Args:
        image: float[H, W, 3] in [0, 1], or uint8[H, W, 3].
        trimap: uint8[H, W]: 0 background, a label value where that label is known, 255 unknown.
        labels: distinct label values in 1..254. One without any known pixel gets alpha 0 everywhere, and so does
            the background; with no labels at all everything is background.
        solver: the method, for instance `closed_form.solve`.
        scale: 1, 2, 4 or "auto" (`downsample.choose_scale`).
        terms: prior and samples, for solvers that take a data term.

    Returns:
        float32[C + 1, H, W], background first, then the labels in the order given. In [0, 1], sums to one at every
        pixel, exactly one-hot at known pixels.

    Raises:
        ValueError: every pixel is unknown (and there are labels), the trimap has a known value that is not among the
            labels, or an argument has the wrong shape, type or range.
    """
    if scale not in ("auto", 1, 2, 4):
        raise ValueError(f'expected scale "auto", 1, 2 or 4, got {scale!r}')
    problem = Problem.of(image, trimap, labels, terms)
    if not problem.needs_solving:
        return problem.alphas()
    grid, coarse = coarse_problem(problem, scale)
    small = area_mean(problem.image, grid)
    term = data_term(problem, grid)
    raw = solver(small, coarse, problem.solved_values, *([] if term is None else [term]))
    if grid == 1:
        return problem.alphas(raw.reshape(len(raw), -1)[:, problem.unknown])
    return problem.alphas(upsample(raw, small, problem.image, problem.unknown, grid))


def coarse_problem(problem: Problem, scale: Scale) -> tuple[int, np.ndarray]:
    """The scale of the grid that a problem is solved on, and uint8[h, w], the trimap of its cells."""
    grid = downsample.choose_scale(*problem.trimap.shape) if scale == "auto" else scale
    return downsample.coarse_with_all(problem.trimap, grid, problem.known_values)
