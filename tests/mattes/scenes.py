"""Images with label trimaps, made on the fly, and what holds of all alphas."""

import numpy as np


def scene(height=24, width=28, labels=(1, 2), seed=0, unknown=0.8):
    """A smooth colour image, and a trimap with some sure pixels of background and each label."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    image = np.stack([0.5 + 0.3 * np.sin(5 * x + 3 * y), 0.5 + 0.3 * np.cos(4 * y - 2 * x), 0.3 + 0.4 * x * y], axis=2)
    image += 0.1 * random.random(image.shape)
    trimap = random.choice([0, *labels], size=(height, width)).astype(np.uint8)
    trimap[random.random((height, width)) < unknown] = 255
    for value, place in zip([0, *labels, 255], random.permutation(height * width), strict=False):
        trimap.flat[place] = value
    return image, trimap


def assert_alphas(alphas, trimap, labels):
    assert alphas.shape == (len(labels) + 1, *trimap.shape)
    assert alphas.dtype == np.float32
    assert np.isfinite(alphas).all()
    assert alphas.min() >= 0
    assert alphas.max() <= 1
    np.testing.assert_allclose(alphas.sum(axis=0), 1, atol=1e-6)
    sure = trimap != 255
    for plane, value in zip(alphas, [0, *labels], strict=True):
        np.testing.assert_array_equal(plane[sure], trimap[sure] == value)
