"""Bilinear resizing against torch."""

import numpy as np
import pytest
import torch

from matlabel.pixels.resample import resize


@pytest.mark.parametrize("source", [(1, 1), (1, 7), (5, 8), (16, 9)])
@pytest.mark.parametrize("target", [(1, 1), (3, 30), (20, 32), (61, 35)])
def test_it_is_interpolate_without_aligned_corners(source, target):
    planes = np.random.default_rng(0).random((3, *source)).astype(np.float32)
    oracle = torch.nn.functional.interpolate(torch.from_numpy(planes)[None], size=target, mode="bilinear")[0]
    resized = resize(planes, *target)
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized, oracle.numpy(), atol=1e-5)
