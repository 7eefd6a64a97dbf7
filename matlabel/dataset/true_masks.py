"""The true masks of a data set, each checked to be the file that the manifest names and to fit its image."""

from pathlib import Path

import numpy as np

from matlabel.artifacts.label_image import read_label_image
from matlabel.artifacts.provenance import Inputs
from matlabel.dataset.manifest import read_masks


class TrueMasks:
    """Masks by image id, read when they are asked for.

    Args:
        source: CSV of masks or list of such; None: there are no masks.
        classes: number K of object classes.
        inputs: where the masks that are read get noted.
    """

    def __init__(self, source: Path | None, classes: int, inputs: Inputs):
        self._files = read_masks(source)
        self._classes = classes
        self._inputs = inputs

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._files

    def read(self, image_id: str, shape: tuple[int, int]) -> np.ndarray:
        """The mask of an image: uint8[H, W], 0 background, 1..K, 255 void.

        Raises:
            UserError: missing, changed since the manifest was made, not a mask, or not of the size of its image.
        """
        path, expected, by_index = self._files[image_id]
        mask = read_label_image(path, self._classes, shape, expected, by_index)
        self._inputs.files[str(path)] = expected
        return mask
