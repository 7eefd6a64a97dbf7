"""The matte without matting."""

import numpy as np
import pytest
import torch

from matlabel.mattes.activations import enlarge_activations


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_they_are_enlarged_as_torch_does_and_sum_to_one(dtype):
    planes = np.random.default_rng(0).integers(0, 256, (4, 7, 9)).astype(dtype)
    enlarged = enlarge_activations(planes, 26, 33)
    oracle = torch.nn.functional.interpolate(
        torch.from_numpy(planes.astype(np.float64))[None], size=(26, 33), mode="bilinear"
    )[0].numpy()
    assert enlarged.dtype == np.float32
    np.testing.assert_allclose(enlarged.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(enlarged, oracle / oracle.sum(axis=0), atol=1e-5)


def test_a_pixel_without_activation_is_background():
    enlarged = enlarge_activations(np.zeros((3, 2, 2), np.uint8), 8, 8)
    np.testing.assert_array_equal(enlarged, np.stack([np.ones((8, 8)), np.zeros((8, 8)), np.zeros((8, 8))]))


@pytest.mark.parametrize("shape", [(4, 4), (0, 4, 4), (2, 0, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="activations"):
        enlarge_activations(np.zeros(shape), 8, 8)
