"""The matting Laplacian against pymatting, exact arithmetic and its identities."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatting import cf_laplacian

from matlabel.mattes.laplacian import apply, matting_laplacian, matting_stencil, system_of


def colours(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3))


@pytest.mark.parametrize(("epsilon", "radius"), [(1e-7, 1), (1e-4, 1), (1e-6, 2)])
@pytest.mark.parametrize("shape", [(5, 5), (7, 12), (23, 17)])
def test_it_is_the_laplacian_of_pymatting_on_colour_images(shape, epsilon, radius):
    image = colours(*shape)
    difference = matting_laplacian(image, epsilon, radius) - cf_laplacian(image, epsilon, radius)
    assert np.abs(difference.toarray()).max() < 1e-8


@settings(max_examples=20, deadline=None)
@given(
    height=st.integers(3, 8),
    width=st.integers(3, 8),
    seed=st.integers(0, 1000),
    kind=st.sampled_from(["colour", "grey", "constant", "two colours"]),
)
def test_it_is_symmetric_positive_and_annihilates_constants(height, width, seed, kind):
    image = colours(height, width, seed)
    if kind == "grey":
        image[:] = image[:, :, :1]
    elif kind == "constant":
        image[:] = image[0, 0]
    elif kind == "two colours":
        image = np.where(image[:, :, :1] > 0.5, image[0, 0], image[-1, -1])
    laplacian = matting_laplacian(image).toarray()
    assert np.abs(laplacian - laplacian.T).max() < 1e-12
    assert np.abs(laplacian.sum(axis=1)).max() < 1e-8
    assert np.linalg.eigvalsh(laplacian).min() > -1e-8


def exact_window(grey, epsilon):
    """The 9 x 9 Laplacian of one grey window in rational arithmetic.

    All channels are equal, so cᵀ (ε 1 + Σ c cᵀ)⁻¹ c' with c = g (1, 1, 1) is 3 g g' / (ε + 3 Σ g²).
    """
    values = [Fraction(float(v)) for v in grey.ravel()]
    centred = [v - sum(values) / 9 for v in values]
    denominator = Fraction(epsilon) + 3 * sum(c * c for c in centred)
    return np.array(
        [
            [float((i == j) - Fraction(1, 9) - 3 * centred[i] * centred[j] / denominator) for j in range(9)]
            for i in range(9)
        ]
    )


@pytest.mark.parametrize("epsilon", [1e-7, 1e-5])
@pytest.mark.parametrize("contrast", [1.0, 0.01, 0.0])
def test_grey_windows_keep_their_digits(epsilon, contrast):
    grey = 0.3 + contrast * colours(3, 3)[:, :, 0] / 2
    image = np.repeat(grey[:, :, None], 3, axis=2)
    assert np.abs(matting_laplacian(image, epsilon).toarray() - exact_window(grey, epsilon)).max() < 1e-8


@pytest.mark.parametrize("share", [0.02, 0.5])
@pytest.mark.parametrize("radius", [1, 2])
def test_rows_of_chosen_pixels_are_those_of_the_whole_matrix(radius, share):
    image, planes = colours(14, 13), np.random.default_rng(2).random((3, 14, 13))
    chosen = np.random.default_rng(1).random((14, 13)) < share
    chosen[0, 0] = chosen[-1, 5] = True
    whole = matting_laplacian(image, 1e-6, radius).toarray()
    # Windows without a chosen pixel are left out, and no chosen row misses them.
    stencil = matting_stencil(image, 1e-6, radius, chosen)[:, chosen]
    system = system_of(stencil, chosen, radius)
    np.testing.assert_allclose(system.toarray(), whole[np.ix_(chosen.ravel(), chosen.ravel())], atol=1e-12)
    assert system.has_sorted_indices
    product = whole[chosen.ravel()] @ planes.reshape(3, -1).T
    np.testing.assert_allclose(apply(stencil, chosen, planes, radius).T, product, atol=1e-10)


@pytest.mark.parametrize(
    ("shape", "epsilon", "radius"), [((2, 9, 3), 1e-7, 1), ((9, 4, 3), 1e-7, 2), ((9, 9, 3), 0.0, 1), ((9, 9, 3), 1, 0)]
)
def test_images_without_a_window_and_impossible_settings_are_refused(shape, epsilon, radius):
    with pytest.raises(ValueError, match=r"window|at least"):
        matting_stencil(np.zeros(shape), epsilon, radius)
