"""Closed-form matting of one image, arrays in and arrays out, without the workflow: `matlabel.matte`."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from matlabel.mattes import closed_form, grid

_OBJECT = 1


def matte(
    image: np.ndarray,
    trimap: np.ndarray,
    labels: Sequence[int] | None = None,
    *,
    scale: grid.Scale = "auto",
    epsilon: float = 1e-7,
    radius: int = 1,
) -> np.ndarray:
    """Alpha of an object, or of every label of an image, from its colours and a trimap.

    Closed-form matting (Levin, Lischinski & Weiss 2008), all labels in one system, solved exactly.

    Args:
        image: uint8[H, W, 3], or float[H, W, 3] in [0, 1].
        trimap: uint8[H, W]: 0 background, 1 the object (or the values of `labels`), 255 unknown.
        labels: distinct label values in 1..254; None: there is one object, 1.
        scale: solve on the image (1, for compositing), on its half or quarter (2, 4), or "auto", by its size.
        epsilon: added to the colour covariance of a window; larger smooths.
        radius: windows are 2 * radius + 1 pixels wide.

    Returns:
        float32[H, W] in [0, 1], the object's alpha. With `labels`, float32[C + 1, H, W], background first, then the
        labels in their order, summing to one at every pixel. Known pixels are exactly 0 or 1.

    Raises:
        ValueError: every pixel is unknown, the trimap has a value that is none of these, or an argument has the wrong
            shape, type or range.

    Example:
        A step from black to white, of which the outer thirds are known:

        >>> import numpy as np
        >>> import matlabel
        >>> image = np.zeros((20, 30, 3))
        >>> image[:, 15:] = 1
        >>> trimap = np.full((20, 30), 255, np.uint8)
        >>> trimap[:, :10], trimap[:, 20:] = 0, 1
        >>> alpha = matlabel.matte(image, trimap)
        >>> alpha.shape, alpha[0, [0, 14, 15, 29]].round(2).tolist()
        ((20, 30), [0.0, 0.0, 1.0, 1.0])
    """
    solver = partial(closed_form.solve, epsilon=epsilon, radius=radius)
    alphas = grid.matte(image, trimap, [_OBJECT] if labels is None else labels, solver, scale)
    return alphas[1] if labels is None else alphas
