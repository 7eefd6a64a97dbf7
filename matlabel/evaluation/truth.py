"""The true masks of a data set, each checked to be the file that the manifest names and to fit its image."""

from pathlib import Path

import numpy as np

from matlabel.artifacts.digest import file_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import read_label_image
from matlabel.artifacts.provenance import Inputs
from matlabel.dataset.manifest import read_files


class TrueMasks:
    """Masks by image id, read when they are asked for.

    Args:
        source: CSV of masks or list of such; None: there are no masks.
        classes: number K of object classes.
        inputs: where the masks that are read get noted.
    """

    def __init__(self, source: Path | None, classes: int, inputs: Inputs):
        self._files = read_files(source)
        self._classes = classes
        self._inputs = inputs

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._files

    def read(self, image_id: str, shape: tuple[int, int]) -> np.ndarray:
        """The mask of an image: uint8[H, W], 0 background, 1..K, 255 void.

        Raises:
            UserError: missing, changed since the manifest was made, not a mask, or not of the size of its image.
        """
        path, expected = self._files[image_id]
        try:
            found = file_sha256(path)
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror})") from error
        if found != expected:
            raise UserError(f"{path}: changed since the run began; run again, only what it touches is computed")
        self._inputs.files[str(path)] = found
        mask = read_label_image(path, self._classes)
        if mask.shape != shape:
            raise UserError(
                f"{path}: {mask.shape[1]} x {mask.shape[0]} pixels, but its image has {shape[1]} x {shape[0]} "
                "(width x height, turned upright); a mask must have the size of its image"
            )
        return mask
