"""Closed-form matting of many images at once: stencils, conjugate gradients, local-linear upsampling, on one device."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from matlabel.artifacts.label_image import UNKNOWN
from matlabel.mattes.data_terms import DataTerm, data_term
from matlabel.mattes.gpu.conjugate_gradient import conjugate_gradient
from matlabel.mattes.gpu.laplacian import apply, stencils
from matlabel.mattes.gpu.upsample import upsample
from matlabel.mattes.grid import Scale, coarse_problem
from matlabel.mattes.problem import Problem
from matlabel.pixels.cells import pad_to_cells


@dataclass(frozen=True)
class Prepared:
    """A problem prepared on the host: its grid chosen, its trimap and data terms on that grid.

    Attributes:
        problem: the problem itself.
        grid: scale of its grid.
        coarse: uint8[h, w], the trimap of the grid's cells.
        term: the data terms on that grid, or None.
    """

    problem: Problem
    grid: int
    coarse: np.ndarray
    term: DataTerm | None

    @classmethod
    def of(cls, problem: Problem, scale: Scale = "auto") -> "Prepared":
        """Choose the grid as `matlabel.mattes.grid.matte` does."""
        grid, coarse = coarse_problem(problem, scale)
        return cls(problem, grid, coarse, data_term(problem, grid))


@dataclass(frozen=True)
class Batch:
    """A padded batch on the device; image b fills the top left of its planes.

    Attributes:
        images: uint8 or float32 [B, 3, H, W] with H = h grid, W = w grid; a border cell that is cut off repeats the
            image's last row and column.
        trimaps: uint8[B, h, w] of the cells.
        values: int64[B, C], the values to solve for; -1 where an image has fewer.
        heights, widths: int64[B], the cells that each image fills.
        grid: side of a cell in pixels.
        weight: float32[B, h, w], and
        right: float32[B, C, h, w], of the data terms, 0 where there are none; None if no image has any.
    """

    images: Tensor
    trimaps: Tensor
    values: Tensor
    heights: Tensor
    widths: Tensor
    grid: int
    weight: Tensor | None = None
    right: Tensor | None = None


def closed_form_batch(
    items: Sequence[Prepared],
    device: str | torch.device,
    *,
    epsilon: float = 1e-7,
    radius: int = 1,
    tolerance: float = 1e-4,
    iterations: int = 1000,
    compiled: bool = False,
) -> list[np.ndarray]:
    """Alphas of several images, of any sizes and numbers of labels, on grids of one scale.

    Args:
        items: problems with the same `grid`, every side of it at least 2 radius + 1 cells.
        device: cpu or cuda.
        epsilon, radius: as in `matlabel.mattes.closed_form.solve`.
        tolerance, iterations, compiled: as in `conjugate_gradient`.

    Returns:
        for each image what `matlabel.mattes.grid.matte` returns.

    Raises:
        torch.OutOfMemoryError: the batch does not fit into the device's memory.
        ValueError: the grids differ in scale, or one is smaller than a window.
    """
    batch = upload(items, device)
    if min(batch.heights.min(), batch.widths.min()) < 2 * radius + 1:
        raise ValueError(f"a side of a grid is shorter than a window of {2 * radius + 1} cells")
    raw, _ = solve(batch, epsilon, radius, tolerance, iterations, compiled)
    raw = raw.flatten(2)
    width = batch.images.shape[3]
    results = []
    for number, item in enumerate(items):
        # Only what was unknown comes back from the device.
        y, x = np.divmod(item.problem.unknown, item.problem.trimap.shape[1])
        pixels = torch.from_numpy(y * width + x).to(device)
        planes = len(item.problem.solved_values)
        results.append(item.problem.alphas(raw[number, :planes, pixels].cpu().numpy()))
    return results


def upload(items: Sequence[Prepared], device: str | torch.device) -> Batch:
    """Put images and coarse trimaps beside each other on the device."""
    grids = {item.grid for item in items}
    if len(grids) != 1:
        raise ValueError(f"the images of a batch are solved on grids of one scale, not {sorted(grids)}")
    grid = grids.pop()
    sizes = np.array([item.coarse.shape for item in items])
    height, width = sizes.max(axis=0)
    whole_bytes = all(item.problem.image.dtype == np.uint8 for item in items)
    images = np.zeros((len(items), height * grid, width * grid, 3), np.uint8 if whole_bytes else np.float32)
    trimaps = np.zeros((len(items), height, width), np.uint8)
    values = np.full((len(items), max(len(item.problem.solved_values) for item in items)), -1)
    for number, item in enumerate(items):
        image = pad_to_cells(item.problem.image, grid)
        if not whole_bytes and image.dtype == np.uint8:
            image = image / np.float32(255)
        images[number, : image.shape[0], : image.shape[1]] = image
        trimaps[number, : item.coarse.shape[0], : item.coarse.shape[1]] = item.coarse
        values[number, : len(item.problem.solved_values)] = item.problem.solved_values
    heights, widths = (torch.from_numpy(axis.copy()).to(device) for axis in sizes.T)
    planes = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).contiguous()
    on_device = [torch.from_numpy(array).to(device) for array in (trimaps, values)]
    terms = [torch.from_numpy(array).to(device) for array in _terms(items, *values.shape, height, width)]
    return Batch(planes, *on_device, heights, widths, grid, *terms)


def _terms(items: Sequence[Prepared], images: int, labels: int, height: int, width: int) -> list[np.ndarray]:
    """`Batch.weight` and `.right`, or nothing if no image has data terms."""
    if all(item.term is None for item in items):
        return []
    weight = np.zeros((images, height, width), np.float32)
    right = np.zeros((images, labels, height, width), np.float32)
    for number, item in enumerate(items):
        if item.term is not None:
            h, w = item.coarse.shape
            weight[number, :h, :w], right[number, : len(item.term.right), :h, :w] = item.term.weight, item.term.right
    return [weight, right]


def solve(
    batch: Batch,
    epsilon: float = 1e-7,
    radius: int = 1,
    tolerance: float = 1e-4,
    iterations: int = 1000,
    compiled: bool = False,
) -> tuple[Tensor, Tensor]:
    """Unclipped alphas of a batch's values at full size; known pixels and padding hold no meaningful values.

    Returns:
        float32[B, C, H, W]; int64[B, C], the steps that the solver took.
    """
    whole = 255.0 if batch.images.dtype == torch.uint8 else 1.0
    images = batch.images.float()
    # Sums of bytes are exact in float32: the cells get the very colours that they get on the CPU.
    small = functional.avg_pool2d(images, batch.grid, divisor_override=1).double() / (whole * batch.grid**2)
    unknown = batch.trimaps == UNKNOWN
    sure = (batch.trimaps[:, None] == batch.values[:, :, None, None]).float()
    stencil = stencils(small, batch.heights, batch.widths, epsilon, radius)
    # L_uu A_u = −L_uk B_k, see `matlabel.mattes.closed_form`.
    right = -apply(stencil, sure, radius)
    if batch.weight is not None:
        # The first plane is the diagonal, of the matrix and of what preconditions it.
        stencil[:, 0] += batch.weight
        right += batch.right
    found, steps = conjugate_gradient(stencil, unknown, right, tolerance, iterations, radius, compiled)
    alphas = torch.where(unknown[:, None], found, sure)
    if batch.grid > 1:
        alphas = upsample(alphas, small, images / whole, batch.heights, batch.widths)
    return alphas, steps
