"""Stencils of a padded batch against those of the CPU's solver."""

import numpy as np
import pytest
import torch

from matlabel.mattes import laplacian
from matlabel.mattes.gpu.laplacian import apply, forward_offsets, stencils

SHAPES = [(9, 12), (5, 5), (12, 7)]


def batch(radius=1, kind="colour"):
    """Three images of different sizes, and noise in the padding that must not matter."""
    random = np.random.default_rng(0)
    images = random.random((3, 3, 12, 12))
    if kind == "grey":
        images[:] = images[:, :1]
    if kind == "constant":
        images[:] = 0.4
    heights, widths = torch.tensor(SHAPES).T
    return images, stencils(torch.from_numpy(images), heights, widths, 1e-7, radius)


@pytest.mark.parametrize("kind", ["colour", "grey", "constant"])
@pytest.mark.parametrize("radius", [1, 2])
def test_each_image_has_the_stencil_that_it_has_alone_and_nothing_leaks_from_the_padding(radius, kind):
    images, found = batch(radius, kind)
    for image, stencil, (height, width) in zip(images, found, SHAPES, strict=True):
        alone = laplacian.matting_stencil(np.moveaxis(image[:, :height, :width], 0, 2), 1e-7, radius)
        forward = alone[len(alone) // 2 :]
        assert len(forward) == len(forward_offsets(radius)) == len(stencil)
        # float32 keeps the entries, which lie between -9 and 9, to six digits.
        np.testing.assert_allclose(stencil[:, :height, :width], forward, atol=3e-6)
        assert not stencil[:, height:].any()
        assert not stencil[:, :, width:].any()


@pytest.mark.parametrize("radius", [1, 2])
def test_applying_the_forward_half_is_the_whole_laplacian(radius):
    images, stencil = batch(radius)
    planes = np.random.default_rng(1).random((3, 2, 12, 12)).astype(np.float32)
    found = apply(stencil, torch.from_numpy(planes), radius).numpy()
    for image, values, product, (height, width) in zip(images, planes, found, SHAPES, strict=True):
        matrix = laplacian.matting_laplacian(np.moveaxis(image[:, :height, :width], 0, 2), 1e-7, radius)
        inside = values[:, :height, :width].reshape(2, -1)
        np.testing.assert_allclose(product[:, :height, :width].reshape(2, -1), (matrix @ inside.T).T, atol=1e-4)


def test_rows_sum_to_zero_in_float32():
    _, stencil = batch()
    product = apply(stencil, torch.ones(3, 1, 12, 12))
    assert product.abs().max() < 1e-5
