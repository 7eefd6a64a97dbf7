"""Data terms of the matting energy: prior and colour samples."""

from dataclasses import dataclass

import numpy as np

from matlabel.mattes.downsample import choose_scale, coarse_with_all, within_cells
from matlabel.mattes.problem import Problem
from matlabel.mattes.samples import sampled
from matlabel.pixels import resample
from matlabel.pixels.cells import cells

# Activations waver where their argmax is right all the same. On 185 training photographs (voc6, the tuning half;
# chosen with their masks) the exponents 1, 2, 4 and 8 gave 65.0, 65.1, 65.4 and 65.5 mIoU, the argmax itself 64.6.
SHARPNESS = 8


@dataclass(frozen=True)
class DataTerm:
    """Σ_i w_i (α_i^k − t_i^k)², a term of the energy for each value k that is solved for.

    It adds w_i to the diagonal and w_i t_i^k to the right-hand side. No two unknown cells are tied to each other, so
    the system keeps its pattern, whatever solves it.

    Attributes:
        weight: w, float64[h, w] ≥ 0; read at unknown cells.
        right: w t, float64[C, h, w]; the targets t of all values sum to at most one, the rest is the first known
            value's.
    """

    weight: np.ndarray
    right: np.ndarray

    def __add__(self, other: "DataTerm") -> "DataTerm":
        return DataTerm(self.weight + other.weight, self.right + other.right)


def data_term(problem: Problem, grid: int) -> DataTerm | None:
    """The data terms of prior and samples for a problem's `solved_values`; None where neither has any weight.

    Args:
        problem: one that needs solving.
        grid: scale of the grid that it is solved on, a power of two.

    Raises:
        ValueError: the prior is missing or lacks a plane of the problem's values.
    """
    terms, found = problem.terms, None
    if terms.prior_weight:
        found = prior_term(terms.prior, terms.prior_weight, problem.known_planes, cells(problem.trimap.shape, grid))
    if terms.samples_weight:
        samples = sample_term(problem, terms.samples_weight, grid)
        found = samples if found is None else found + samples
    return found


def prior_term(prior: np.ndarray | None, weight: float, planes: list[int], shape: tuple[int, int]) -> DataTerm:
    """λ (α_i^k − t_i^k)² with t_i^k = (P_i^k)⁸ / Σ_l (P_i^l)⁸ over the values with known pixels; 0 where their P are 0.

    Args:
        prior, weight: `DataTerms.prior` and `.prior_weight`.
        planes: those of the values with known pixels; the first is not solved for.
        shape: (h, w) of the grid that is solved on.
    """
    found = np.asarray(prior)
    if found.ndim != 3 or max(planes) >= len(found):
        raise ValueError(f"expected a prior [C + 1, h, w] with a plane {max(planes)}, got {list(found.shape)}")
    targets = resample.resize(found[planes].astype(np.float64), *shape)
    most = targets.max(axis=0)
    sharp = (targets / np.where(most > 0, most, 1)) ** SHARPNESS
    return DataTerm(weight * (most > 0), weight * sharp[1:] / np.where(most > 0, sharp.sum(axis=0), 1))


def sample_term(problem: Problem, weight: float, grid: int) -> DataTerm:
    """w (α_i^k − p_i^k)², p the share of label k among the samples of i (see `samples`).

    Samples are compared on the grid that labels need; on a finer one each cell has what the larger cell has that it
    lies in.

    Args:
        problem, grid: as in `data_term`.
        weight: `DataTerms.samples_weight`.
    """
    shape = problem.trimap.shape
    scale, coarse = coarse_with_all(problem.trimap, max(grid, choose_scale(*shape)), problem.known_values)
    shares = sampled(problem.image, coarse, scale, problem.known_values)
    shares = weight * within_cells(shares, scale // grid, *cells(shape, grid))
    return DataTerm(shares.sum(axis=0), shares[1:])
