"""The matting Laplacian of Levin, Lischinski & Weiss, "A Closed-Form Solution to Natural Image Matting" (PAMI 2008)."""

import numpy as np
import scipy.sparse

from matlabel.mattes import cholesky3


def offsets(radius: int) -> list[tuple[int, int]]:
    """Offsets (dy, dx) to all pixels that share a window with a pixel, in reading order: (4 * radius + 1)² of them."""
    reach = range(-2 * radius, 2 * radius + 1)
    return [(dy, dx) for dy in reach for dx in reach]


def matting_stencil(
    image: np.ndarray, epsilon: float = 1e-7, radius: int = 1, chosen: np.ndarray | None = None
) -> np.ndarray:
    """The matting Laplacian as a stencil, one plane a neighbour: entry (i, i + offset) lies at pixel i of its plane.

    A stencil is quicker to build than a sparse matrix (windows are added as shifted planes) and its rows can be
    picked by pixel, which is all that a solver for the unknown pixels needs.

    Args:
        image: float64[H, W, 3] in [0, 1].
        epsilon: regularises the colour covariance of a window (eq. 12), at least 1e-12; larger smooths.
        radius: windows are (2 * radius + 1) pixels wide, radius >= 1.
        chosen: bool[H, W], the pixels whose rows are wanted; None for all. Only windows that hold one of them are
            looked at, so entries between two other pixels may lack something.

    Returns:
        float64[(4 * radius + 1)², H, W], planes ordered as `offsets(radius)`; 0 where the neighbour is outside.

    Raises:
        ValueError: a side of the image is shorter than one window, or epsilon or radius is out of range.
    """
    height, width, channels = image.shape
    side = 2 * radius + 1
    if radius < 1 or not epsilon >= 1e-12:
        raise ValueError(f"radius has to be at least 1 and epsilon at least 1e-12, got {radius} and {epsilon}")
    if channels != 3 or min(height, width) < side:
        raise ValueError(f"an image of shape {image.shape} does not hold one window of {side} x {side} x 3")

    # A window is named by its top left pixel; `base` are those, `steps` lead from there to the cells of a window.
    rows, columns = height - 2 * radius, width - 2 * radius
    cells = [(y, x) for y in range(side) for x in range(side)]
    steps = np.array([y * width + x for y, x in cells])
    wanted = np.ones((rows, columns), dtype=bool)
    if chosen is not None:
        wanted[:] = False
        for y, x in cells:
            wanted |= chosen[y : y + rows, x : x + columns]
    y, x = np.nonzero(wanted)
    base = y * width + x
    planes = np.ascontiguousarray(image.reshape(-1, 3).T, dtype=np.float64)
    colour = np.moveaxis(planes.take(base + steps[:, None], axis=1), 0, 1)
    colour = colour - colour.mean(axis=0)

    # Levin's W_ij = δ_ij − (1 + c_iᵀ (Σ + ε/n 1)⁻¹ c_j) / n. With n Σ = Σ_k c_k c_kᵀ and n Σ + ε 1 = R Rᵀ it is
    # W_ij = δ_ij − 1/n − x_iᵀ x_j, where R x_i = c_i.
    gram = {
        (p, q): np.einsum("kn,kn->n", colour[:, p], colour[:, q]) + (epsilon if p == q else 0.0)
        for p, q in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    }
    x = np.stack(cholesky3.forward(cholesky3.factor(*gram.values()), np.moveaxis(colour, 1, 0)), axis=1)

    reach, span = 2 * radius, 4 * radius + 1
    stencil = np.zeros((span * span, height, width))
    flat = stencil.reshape(span * span, -1)
    for i, (yi, xi) in enumerate(cells):
        for j, (yj, xj) in enumerate(cells[i:], start=i):
            pair = np.einsum("kn,kn->n", x[i], x[j])
            plane = flat[(yj - yi + reach) * span + xj - xi + reach]
            # L(i, j) = Σ over the windows that hold both of W_ij
            plane[base + steps[i]] -= pair + (1 / len(cells) - (i == j))

    # The pairs above look forward only; L is symmetric: L(i, i − offset) = L(i − offset, i).
    for index, (dy, dx) in enumerate(offsets(radius)[: span * span // 2]):
        mirror = stencil[span * span - 1 - index]
        stencil[index, -dy:, max(-dx, 0) : width - max(dx, 0)] = mirror[: height + dy, max(dx, 0) : width - max(-dx, 0)]
    return stencil


def system_of(stencil: np.ndarray, chosen: np.ndarray, radius: int = 1) -> scipy.sparse.csc_matrix:
    """Rows and columns of the Laplacian at the chosen pixels, as a sparse matrix.

    Args:
        stencil: float64[(4 * radius + 1)², n], the planes of `matting_stencil` at the chosen pixels.
        chosen: bool[H, W] with n pixels.
        radius: the radius that the stencil was built with.

    Returns:
        float64 CSC matrix [n, n] over the chosen pixels in reading order, symmetric.
    """
    number = np.full(chosen.shape, -1, dtype=np.int32)
    number[chosen] = np.arange(stencil.shape[1], dtype=np.int32)
    neighbour = _neighbours(number, chosen, radius, outside=-1)
    inside = neighbour >= 0
    # Offsets are in reading order, so the columns of a row come out sorted; L = Lᵀ makes CSR and CSC the same.
    starts = np.concatenate([[0], np.cumsum(np.count_nonzero(inside, axis=1))]).astype(np.int32)
    return scipy.sparse.csc_matrix(
        (stencil.T[inside], neighbour[inside], starts), shape=(stencil.shape[1], stencil.shape[1])
    )


def apply(stencil: np.ndarray, chosen: np.ndarray, planes: np.ndarray, radius: int = 1) -> np.ndarray:
    """Rows of the Laplacian at the chosen pixels times planes of values.

    Args:
        stencil, chosen, radius: as in `system_of`.
        planes: float64[C, H, W].

    Returns:
        float64[C, n].
    """
    return np.stack([np.einsum("kn,nk->n", stencil, _neighbours(plane, chosen, radius, 0)) for plane in planes])


def _neighbours(plane: np.ndarray, chosen: np.ndarray, radius: int, outside: float) -> np.ndarray:
    """Values at the neighbours of each chosen pixel: [n, (4 * radius + 1)²], `outside` beyond the border."""
    reach = 2 * radius
    padded = np.full((chosen.shape[0] + 2 * reach, chosen.shape[1] + 2 * reach), outside, dtype=plane.dtype)
    padded[reach:-reach, reach:-reach] = plane
    y, x = np.nonzero(chosen)
    steps = np.array([dy * padded.shape[1] + dx for dy, dx in offsets(radius)])
    return padded.ravel().take(((y + reach) * padded.shape[1] + x + reach)[:, None] + steps)


def matting_laplacian(image: np.ndarray, epsilon: float = 1e-7, radius: int = 1) -> scipy.sparse.csc_matrix:
    """Sparse quadratic form whose (near) null space holds every locally colour-linear alpha.

    Args:
        image: float64[H, W, 3] in [0, 1].
        epsilon: regularises the colour covariance of a window (eq. 12); larger smooths.
        radius: windows are (2 * radius + 1) pixels wide.

    Returns:
        float64 CSC matrix [H * W, H * W]: symmetric, positive semi-definite, rows sum to zero.

    Raises:
        ValueError: as `matting_stencil`.
    """
    stencil = matting_stencil(image, epsilon, radius)
    return system_of(stencil.reshape(len(stencil), -1), np.ones(image.shape[:2], dtype=bool), radius)
