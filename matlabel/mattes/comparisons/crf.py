"""Dense CRF: Krähenbühl & Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials"
(NIPS 2011), by mean field.

Here as a comparison with matting: it, too, brings soft scores to the edges of the photograph.
"""

import math
from collections.abc import Callable
from numbers import Integral

import numpy as np
import scipy.sparse

from matlabel.mattes.comparisons.permutohedral import Lattice

LEAST_PROBABILITY = 1e-5  # no pixel is so sure of a label that its surroundings could not change it

Kernel = Callable[[np.ndarray], np.ndarray]
"""float32[C, H, W] -> float32[C, H, W], linear and the same for every plane."""


def mean_field(
    image: np.ndarray,
    probabilities: np.ndarray,
    *,
    iterations: int = 10,
    smooth_weight: float = 3.0,
    smooth_sigma: float = 3.0,
    bilateral_weight: float = 10.0,
    bilateral_sigma: float = 80.0,
    colour_sigma: float = 13.0,
) -> np.ndarray:
    """Marginals of all labels after some iterations of mean field.

    The energy is Σ_i ψ_u(x_i) + Σ_{i<j} [x_i ≠ x_j] Σ_m w^(m) k̂^(m)(f_i, f_j), with ψ_u = −log of the probabilities
    and two Gaussian kernels: over positions (smoothness) and over positions and colours (bilateral, appearance).
    Both are normalised as is customary, k̂ = D^−½ K D^−½ with D the row sums of K, so that weights mean the same in
    any image; and, as is customary, a pixel is a neighbour of itself.

    Args:
        image: uint8[H, W, 3], or float[H, W, 3] in [0, 1]; sides of at least 1.
        probabilities: float or integer [C + 1, H, W], background first, non-negative, any scale: each pixel is divided
            by its sum, then held above 1e-5. A pixel of zeros has no opinion, all labels are alike to it.
        iterations: 0 returns the probabilities, divided, held and divided again.
        smooth_weight, bilateral_weight: w^(m), at least 0.
        smooth_sigma, bilateral_sigma: standard deviations in pixels.
        colour_sigma: standard deviation of the bilateral kernel in colour, on the scale of 0..255.

    Returns:
        float32[C + 1, H, W] in [0, 1], sums to one at every pixel. Same input, same bytes.

    Raises:
        ValueError: an argument has the wrong shape, type or range, or the deviations are so small that the image
            spans more lattice cells than can be numbered.
    """
    image = _checked_image(image)
    unary = _unary(probabilities, image.shape[:2])
    if not isinstance(iterations, Integral) or iterations < 0:
        raise ValueError(f"expected iterations to be a whole number of at least 0, got {iterations!r}")
    for name, weight in {"smooth_weight": smooth_weight, "bilateral_weight": bilateral_weight}.items():
        if not 0 <= weight < math.inf:
            raise ValueError(f"expected {name} to be at least 0, got {weight!r}")
    sigmas = {"smooth_sigma": smooth_sigma, "bilateral_sigma": bilateral_sigma, "colour_sigma": colour_sigma}
    for name, sigma in sigmas.items():
        if not 0 < sigma < math.inf:
            raise ValueError(f"expected {name} to be above 0, got {sigma!r}")

    # Initialise: Q_i(l) ← exp(−ψ_u(l)) / Z_i
    marginals = _exp_and_normalise(-unary)
    if len(marginals) == 1 or iterations == 0:
        return marginals
    smooth = _smoothness_kernel(*image.shape[:2], smooth_sigma)
    bilateral = _bilateral_kernel(image, bilateral_sigma, colour_sigma)

    def weighted_messages(planes: np.ndarray) -> np.ndarray:
        return np.float32(smooth_weight) * smooth(planes) + np.float32(bilateral_weight) * bilateral(planes)

    everything = weighted_messages(np.ones((1, *image.shape[:2]), np.float32))[0]
    agreement = np.empty_like(marginals)
    for _ in range(iterations):
        # Message passing: Q̃_i^(m)(l) ← Σ_j k̂^(m)(f_i, f_j) Q_j(l), summed with its weights w^(m).
        # Σ_l Q_j(l) = 1, so the background's message is the rest and needs no filtering.
        agreement[1:] = weighted_messages(marginals[1:])
        np.subtract(everything, agreement[1:].sum(axis=0), out=agreement[0])
        # Compatibility transform: Q̂_i(l) ← Σ_l' [l ≠ l'] Σ_m w^(m) Q̃_i^(m)(l') = everything_i − agreement_i(l)
        # Local update: Q_i(l) ← exp(−ψ_u(l) − Q̂_i(l)); normalise, which cancels everything_i.
        marginals = _exp_and_normalise(agreement - unary)
    return marginals


def _checked_image(image: np.ndarray) -> np.ndarray:
    """float32[H, W, 3] in 0..255."""
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"expected an image [H, W, 3], none of them 0, got shape {image.shape}")
    if image.dtype == np.uint8:
        return image.astype(np.float32)
    if not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"expected an image of type uint8 or float, got {image.dtype}")
    if not (image.min() >= 0 and image.max() <= 1):  # also false where a NaN is
        raise ValueError("expected an image of floats in [0, 1]")
    return np.float32(255) * image.astype(np.float32)


def _unary(probabilities: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """ψ_u: float32[C + 1, H, W]."""
    planes = np.asarray(probabilities)
    if planes.ndim != 3 or len(planes) == 0 or planes.shape[1:] != shape:
        raise ValueError(f"expected probabilities [C + 1, H, W] of the image's {shape}, got shape {planes.shape}")
    if planes.dtype.kind not in "fui":
        raise ValueError(f"expected probabilities of type float or integer, got {planes.dtype}")
    total = planes.sum(axis=0, dtype=np.float64)
    if not (planes.min() >= 0 and total.max() < np.inf):
        raise ValueError("expected probabilities that are finite and not negative")
    planes = (planes / np.where(total == 0, 1, total)).astype(np.float32)
    return -np.log(np.maximum(planes, np.float32(LEAST_PROBABILITY)))


def _exp_and_normalise(scores: np.ndarray) -> np.ndarray:
    """Softmax over the planes."""
    scores = scores - scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores


def _smoothness_kernel(height: int, width: int, sigma: float) -> Kernel:
    """exp(−‖p_i − p_j‖² / 2σ²), normalised: exact but for truncation at four standard deviations."""
    # Both the kernel and its row sums are products of one factor for the rows and one for the columns.
    rows, columns = _normalised_gaussian(height, sigma), _normalised_gaussian(width, sigma)
    return lambda planes: np.stack([rows @ plane @ columns for plane in planes])


def _normalised_gaussian(length: int, sigma: float) -> scipy.sparse.csr_matrix:
    """D^−½ G D^−½ along one axis: float32 CSR matrix [length, length], a band."""
    reach = min(math.ceil(4 * sigma), length - 1)
    offsets = np.arange(-reach, reach + 1)
    band = scipy.sparse.diags(np.exp(-0.5 * (offsets / sigma) ** 2), offsets, shape=(length, length))
    root = scipy.sparse.diags(1 / np.sqrt(band @ np.ones(length)))
    return (root @ band @ root).tocsr().astype(np.float32)


def _bilateral_kernel(image: np.ndarray, sigma: float, colour_sigma: float) -> Kernel:
    """exp(−‖p_i − p_j‖² / 2σ² − ‖I_i − I_j‖² / 2σ_colour²), normalised, approximated by `Lattice`."""
    height, width, _ = image.shape
    features = np.empty((5, height, width))
    features[0] = np.arange(height)[:, None] / sigma
    features[1] = np.arange(width) / sigma
    features[2:] = np.moveaxis(image, 2, 0).astype(np.float64) / colour_sigma
    try:
        lattice = Lattice.of(features.reshape(5, -1).T)
    except ValueError as error:
        raise ValueError(f"bilateral_sigma {sigma} or colour_sigma {colour_sigma} is too small: {error}") from error
    root = 1 / np.sqrt(lattice.filter(np.ones((height * width, 1), np.float32)))

    def kernel(planes: np.ndarray) -> np.ndarray:
        filtered = root * lattice.filter(root * planes.reshape(len(planes), -1).T)
        return filtered.T.reshape(planes.shape)

    return kernel
