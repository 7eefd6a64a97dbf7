"""Few channels for the embedding: the directions in which the pixels of the data set differ most."""

import torch
from torch import Tensor


def covariance_of(moment: Tensor) -> Tensor:
    """E[z zᵀ] − E[z] E[z]ᵀ: float64[d, d] on the CPU.

    Args:
        moment: E[u uᵀ] with u = (z, 1), float[d + 1, d + 1].
    """
    moment = moment.double().cpu()
    mean = moment[:-1, -1]
    return moment[:-1, :-1] - torch.outer(mean, mean)


def principal_axes(covariance: Tensor, count: int) -> Tensor:
    """The eigenvectors of the largest eigenvalues: no other `count` directions keep more of Σ_ij |z_i − z_j|².

    Args:
        covariance: float64[d, d].
        count: e, at most d.

    Returns:
        float32[e, d], orthonormal, the largest eigenvalue's first; of each the component of largest magnitude (the
        first of equals) is positive.
    """
    # Ascending, one a column.
    vectors = torch.linalg.eigh(covariance).eigenvectors.flip(1)[:, :count].T
    largest = vectors.abs().argmax(1, keepdim=True)
    return (vectors * vectors.gather(1, largest).sign()).float()
