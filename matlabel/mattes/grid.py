"""Any matting method on a coarse grid of the image, and its alphas brought back to full size."""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from matlabel.mattes import downsample
from matlabel.mattes.data_terms import pull_of
from matlabel.mattes.problem import Evidence, Problem, Solver
from matlabel.mattes.upsample import upsample
from matlabel.mattes.winner import settled

Scale = Literal["auto", 1, 2, 4]


def matte(
    image: np.ndarray,
    trimap: np.ndarray,
    labels: Iterable[int],
    solver: Solver,
    scale: Scale = "auto",
    evidence: Evidence | None = None,
) -> np.ndarray:
    """Alphas of the background and of every label of an image.

    The problem is solved on a grid of scale x scale cells and brought to full size by local-linear upsampling; that
    is for labels, soft alphas for compositing want scale 1.

    Args:
        image: float[H, W, 3] in [0, 1], or uint8[H, W, 3].
        trimap: uint8[H, W]: 0 background, a label value where that label is sure, 255 unknown.
        labels: distinct label values in 1..254. One without any sure pixel gets alpha 0 everywhere, and so does
            the background; with no labels at all everything is background.
        solver: the method, for instance `closed_form.solve`.
        scale: 1, 2, 4 or "auto" (`downsample.choose_scale`).
        evidence: what pulls beside the Laplacian, for solvers that take a pull.

    Returns:
        float32[C + 1, H, W], background first, then the labels in the order given. In [0, 1], sums to one at every
        pixel, exactly one-hot at sure pixels.

    Raises:
        ValueError: every pixel is unknown (and there are labels), the trimap has a sure value that is not among the
            labels, or an argument has the wrong shape, type or range.
    """
    if scale not in ("auto", 1, 2, 4):
        raise ValueError(f'expected scale "auto", 1, 2 or 4, got {scale!r}')
    problem = Problem.of(image, trimap, labels, evidence)
    if not problem.needs_solving:
        return problem.alphas()
    grid, coarse = coarse_problem(problem, scale)
    small = downsample.area_mean(problem.image, grid)
    pull = pull_of(problem, grid)
    raw = solver(small, coarse, problem.solved_values, *([] if pull is None else [pull]))
    if grid == 1:
        return problem.alphas(raw.reshape(len(raw), -1)[:, problem.unknown])
    return problem.alphas(upsample(raw, small, problem.image, problem.unknown, grid))


def coarse_problem(problem: Problem, scale: Scale) -> tuple[int, np.ndarray]:
    """The grid that a problem is solved on: its scale, and the trimap of its cells (see `winner.settled`)."""
    grid = downsample.choose_scale(*problem.trimap.shape) if scale == "auto" else scale
    grid, coarse = downsample.coarse_with_all(problem.trimap, grid, problem.sure_values)
    return grid, settled(problem, coarse, grid)
