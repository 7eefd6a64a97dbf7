"""The principal axes of an embedding's pixels, against their definition."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.networks.embedding_axes import covariance_of, principal_axes


def pixels(seed, rank, size=9, count=200):
    generator = torch.Generator().manual_seed(seed)
    plane = torch.linalg.qr(torch.randn(size, rank, generator=generator)).Q
    return torch.randn(count, rank, generator=generator) @ plane.T + torch.randn(size, generator=generator)


def moment_of(z):
    lifted = torch.cat([z, torch.ones(len(z), 1)], 1)
    return lifted.T @ lifted / len(z)


def test_the_moment_with_a_one_appended_holds_the_covariance():
    z = pixels(0, 9)
    assert torch.allclose(covariance_of(moment_of(z)), torch.cov(z.T, correction=0).double(), atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), rank=st.integers(1, 8))
def test_as_many_axes_as_the_pixels_differ_in_keep_all_distances(seed, rank):
    z = pixels(seed, rank)
    axes = principal_axes(covariance_of(moment_of(z)), rank)
    assert torch.allclose(axes @ axes.T, torch.eye(rank), atol=1e-5)
    assert torch.allclose(torch.cdist(z @ axes.T, z @ axes.T), torch.cdist(z, z), atol=1e-2)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_signs_do_not_hang_on_the_solver_and_fewer_axes_are_the_first_of_more(seed):
    covariance = covariance_of(moment_of(pixels(seed, 9)))
    axes = principal_axes(covariance, 9)
    assert (axes.gather(1, axes.abs().argmax(1, keepdim=True)) > 0).all()
    assert torch.equal(principal_axes(covariance, 4), axes[:4])
    kept = (axes.double() @ covariance @ axes.double().T).diagonal()
    assert (kept.diff() <= 1e-6).all()
