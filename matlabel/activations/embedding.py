"""The embedding of an image as it is stored: the mean over the views, along the principal axes of the data set."""

import torch
import torch.nn.functional as F
from torch import Tensor


class MeanEmbedding:
    """Gathers the embeddings of a batch from all views.

    Args:
        axes: orthonormal float32[e, d], see `matlabel.networks.embedding_axes`.
        size: (h, w) of the result.
    """

    def __init__(self, axes: Tensor, size: tuple[int, int]):
        self._axes, self._size = axes, size
        self._total: Tensor | None = None

    def add(self, embedding: Tensor, mirrored: bool) -> None:
        """Another view's Z, float32[B, d, h', w'] of unit length."""
        embedding = embedding.flip(3) if mirrored else embedding
        sized = F.interpolate(embedding, self._size, mode="bilinear", align_corners=False)
        self._total = sized if self._total is None else self._total + sized

    def projected(self) -> Tensor:
        """float32[B, e, h, w] in [−1, 1]: the mean, of unit length again, along the axes."""
        with torch.autocast(self._total.device.type, enabled=False):
            return torch.einsum("ed,bdhw->behw", self._axes, F.normalize(self._total, dim=1))
