"""What else than its neighbours' colours speaks for a label at a cell, as terms of the matting energy."""

from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from matlabel.mattes.downsample import any_of, cells, choose_scale, coarse_with_all, within_cells
from matlabel.mattes.likeness import likeness
from matlabel.mattes.problem import UNKNOWN, Problem
from matlabel.mattes.samples import sampled
from matlabel.mattes.winner import disbelieved, settled
from matlabel.pixels import resample

STORED = 4  # scale of the grid that activations and embeddings are stored on
# Activations waver where their winner is right all the same. On 185 training photographs (voc6, the tuning half;
# chosen with their masks) the exponents 1, 2, 4 and 8 gave 65.0, 65.1, 65.4 and 65.5 mIoU, the winner itself 64.6.
SHARPNESS = 8


@dataclass(frozen=True)
class Pull:
    """Σ_i w_i (α_i^k − t_i^k)², a term of the energy for each value k that is solved for.

    It adds w_i to the diagonal and w_i t_i^k to the right-hand side. No two unknown cells are tied to each other, so
    the system keeps its pattern, whatever solves it.

    Attributes:
        weight: w, float64[h, w] ≥ 0; read at unknown cells.
        right: w t, float64[C, h, w]; the targets t of all values sum to at most one, the rest is the first seeded
            value's.
    """

    weight: np.ndarray
    right: np.ndarray

    def without(self, cells: np.ndarray) -> "Pull":
        """The same with no pull in some cells, bool[h, w]."""
        return Pull(np.where(cells, 0, self.weight), np.where(cells, 0, self.right))

    def __add__(self, other: "Pull") -> "Pull":
        return Pull(self.weight + other.weight, self.right + other.right)


def pull_of(problem: Problem, grid: int) -> Pull | None:
    """What the evidence of a problem adds to the system of its `solved_values`; None where there is none.

    Args:
        problem: one that needs solving.
        grid: scale of the grid that it is solved on, a power of two.

    Raises:
        ValueError: the activations lack a plane of the problem's values, or the embedding is of another size.
    """
    evidence, pulls = problem.evidence, []
    if evidence is not None and evidence.prior:
        shape = cells(problem.trimap.shape, grid)
        pull = towards_activations(evidence.activations, evidence.prior, problem.seeded, shape)
        if evidence.drawn is not None:
            pull = pull.without(disbelieved(problem, shape, grid))
        pulls.append(pull)
    if evidence is not None and evidence.tie:
        pulls.append(towards_alike(problem, evidence.embedding, evidence.tie, grid))
    if evidence is not None and evidence.sampling:
        pulls.append(towards_samples(problem, evidence.sampling, grid))
    return reduce(add, pulls) if pulls else None


def towards_activations(activations: np.ndarray, weight: float, planes: list[int], shape: tuple[int, int]) -> Pull:
    """λ (α_i^k − t_i^k)² with t_i^k = (A_i^k)⁸ / Σ_l (A_i^l)⁸ over the values with sure pixels.

    Args:
        activations, weight: `Evidence.activations` and `.prior`.
        planes: those of the values with sure pixels; the first is not solved for.
        shape: (h, w) of the grid that is solved on.

    Returns:
        no pull where the activations of those values are 0.
    """
    activations = np.asarray(activations)
    if activations.ndim != 3 or max(planes) >= len(activations):
        raise ValueError(f"expected activations [C + 1, h, w] with a plane {max(planes)}, got {activations.shape}")
    targets = resample.resize(activations[planes].astype(np.float64), *shape)
    most = targets.max(axis=0)
    sharp = (targets / np.where(most > 0, most, 1)) ** SHARPNESS
    return Pull(weight * (most > 0), weight * sharp[1:] / np.where(most > 0, sharp.sum(axis=0), 1))


def towards_alike(problem: Problem, embedding: np.ndarray, weight: float, grid: int) -> Pull:
    """w Σ_j a_ij (α_i^k − α_j^k)² over the sure cells j most alike to i in the embedding (see `likeness`).

    As the α_j are fixed, these ties pull i towards their mean, with the weight w Σ_j a_ij: together with L they are
    the Laplacian of a larger graph.

    Args:
        problem, grid: as in `pull_of`.
        embedding, weight: `Evidence.embedding` and `.tie`.
    """
    # On a finer grid than the embedding's, a cell has the likeness of the larger cell it lies in.
    scale = max(grid, STORED)
    shape = cells(problem.trimap.shape, scale)
    embedding = np.asarray(embedding)
    if embedding.dtype != np.uint8 or embedding.shape[1:] != cells(problem.trimap.shape, STORED):
        expected = cells(problem.trimap.shape, STORED)
        raise ValueError(f"expected an embedding uint8[e, *{expected}], got {embedding.dtype}{embedding.shape}")
    if scale > STORED:
        embedding = np.rint(resample.resize(embedding.astype(np.float32), *shape)).astype(np.uint8)
    sure = np.stack([any_of(problem.trimap == value, scale) for value in problem.sure_values])
    alike = weight * likeness(embedding, sure, any_of(problem.trimap == UNKNOWN, scale))
    alike = within_cells(alike, scale // grid, *cells(problem.trimap.shape, grid))
    return Pull(alike.sum(axis=0), alike[1:])


def towards_samples(problem: Problem, weight: float, grid: int) -> Pull:
    """w (α_i^k − p_i^k)², p of the sure cells that i takes after in colour and place (see `sampling`).

    Cells are sure as the system has them, those that `winner.settled` gave away included. They are compared on the
    grid that labels need, and on a finer one each has what the larger cell has that it lies in. Where strokes say that
    the activations are wrong nothing is pulled: there are few cells of a stroke, and many of what it is to mend.

    Args:
        problem, grid: as in `pull_of`.
        weight: `Evidence.sampling`.
    """
    shape = problem.trimap.shape
    scale, coarse = coarse_with_all(problem.trimap, max(grid, choose_scale(*shape)), problem.sure_values)
    shares = sampled(problem.image, settled(problem, coarse, scale), scale, problem.sure_values)
    shares = weight * within_cells(shares, scale // grid, *cells(shape, grid))
    pull = Pull(shares.sum(axis=0), shares[1:])
    if problem.evidence.drawn is not None and problem.evidence.activations is not None:
        pull = pull.without(disbelieved(problem, cells(shape, grid), grid))
    return pull
