"""What else than colours speaks for a label at a cell, as terms of the matting energy."""

from dataclasses import dataclass

import numpy as np

from matlabel import resample
from matlabel.mattes.problem import Problem


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


def pull_of(problem: Problem, shape: tuple[int, int]) -> Pull | None:
    """What the evidence of a problem adds to the system of its `solved_values`; None where there is none.

    Args:
        problem: one that needs solving.
        shape: (h, w) of the grid that it is solved on.

    Raises:
        ValueError: the activations lack a plane of the problem's values.
    """
    evidence = problem.evidence
    if evidence is None:
        return None
    return towards_activations(evidence.activations, evidence.prior, problem.seeded, shape)


def towards_activations(activations: np.ndarray, weight: float, planes: list[int], shape: tuple[int, int]) -> Pull:
    """λ (α_i^k − A_i^k)², the activations A renormalised over the values with sure pixels.

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
    total = targets.sum(axis=0)
    return Pull(weight * (total > 0), weight * targets[1:] / np.where(total > 0, total, 1))
