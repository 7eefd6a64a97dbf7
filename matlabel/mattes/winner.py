"""What the activations alone would say: where their winner stands, whatever the colours."""

import numpy as np

from matlabel.mattes.downsample import any_of, within_cells
from matlabel.mattes.problem import UNKNOWN, Problem
from matlabel.mattes.strokes import contradicted
from matlabel.pixels import resample
from matlabel.pixels.contours import boundary_width, near_other


def settled(problem: Problem, coarse: np.ndarray, grid: int) -> np.ndarray:
    """The trimap of the cells, with those that are far from any contour of the activations' winner sure of it.

    What is unknown there is unsure of what it is, not of where it ends, and colours do not know belonging. Cells stay
    unknown where the winner has no sure pixel, where somebody has drawn, and where strokes say that the activations are
    wrong.

    Args:
        problem: with or without evidence.
        coarse: uint8[h, w], the trimap of the cells.
        grid: side of a cell in pixels.
    """
    if problem.evidence is None or not problem.evidence.contour:
        return coarse
    winner = _winner(problem, coarse.shape)
    reach = max(1, round(boundary_width(problem.trimap.shape, problem.evidence.contour) / grid))
    seeded = np.isin(winner, problem.sure_values)
    # Regions that were enforced or drawn have contours, too, where the winner has none.
    believed = np.where(coarse == UNKNOWN, winner, coarse)
    far = (coarse == UNKNOWN) & seeded & ~near_other(believed, reach, frame=False)
    if problem.evidence.drawn is not None:
        far &= ~disbelieved(problem, coarse.shape, grid) & ~any_of(problem.evidence.drawn, grid)
    return np.where(far, winner, coarse)


def disbelieved(problem: Problem, shape: tuple[int, int], grid: int) -> np.ndarray:
    """bool[h, w]: where strokes say that the activations are wrong.

    Args:
        problem: with activations and `drawn`.
        shape: (h, w) of the grid.
        grid: side of a cell in pixels.
    """
    winner, trimap = _winner(problem, shape), problem.trimap
    there = within_cells(winner, grid, *trimap.shape)
    # By pixels: a thin stroke shares its cells with what it corrects.
    against = problem.evidence.drawn & (trimap != UNKNOWN) & (trimap != there)
    return contradicted(winner, any_of(against, grid))


def _winner(problem: Problem, shape: tuple[int, int]) -> np.ndarray:
    """uint8[h, w]: the label of the strongest activation."""
    activations = np.asarray(problem.evidence.activations, np.float64)
    if activations.ndim != 3 or len(activations) != len(problem.values):
        raise ValueError(f"expected activations [{len(problem.values)}, h, w], got {list(activations.shape)}")
    return np.array(problem.values, np.uint8)[resample.resize(activations, *shape).argmax(axis=0)]
