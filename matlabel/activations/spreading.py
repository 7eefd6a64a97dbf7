"""Spreading a batch of images of one size: which walk, on which grid, and what is read again between two walks."""

import torch.nn.functional as F
from torch import Tensor

from matlabel.activations.again import read_again
from matlabel.activations.local_walk import LocalWalk
from matlabel.networks.affinity import AffinityHead
from matlabel.networks.classifier import Output
from matlabel.networks.feature_walk import FeatureWalk, feature_affinity
from matlabel.networks.spread import spread
from matlabel.settings.activations import ActivationsSettings


class Spreading:
    """Over the learned affinity of pixels, or that of their features, on the grid of layer 2 (stride 8).

    Args:
        output: of the batch, at the size at which its pixels are compared.
        head: the classifier's learned affinity, if it has any.
        settings: `spread` (affinity auto: learned if there is a head; again, where an embedding is read at all).
        parts_classes: whether the embedding tells classes apart (see `Classifier`).
    """

    def __init__(
        self, output: Output, head: AffinityHead | None, settings: ActivationsSettings, parts_classes: bool = True
    ):
        self.features = output.features
        self.settings = settings.spread
        self.temperature = settings.temperature
        self.again = settings.spread.again if settings.read != "maps" and output.embedding is not None else 0
        if self.again:
            size = self.features[1].shape[2:]
            enlarged = F.interpolate(output.embedding.float(), size, mode="bilinear", align_corners=False)
            self.embedding = F.normalize(enlarged, dim=1)
        self.parts_classes = parts_classes
        self.walk = None
        if head is not None and self.settings.affinity != "features":
            self.walk = LocalWalk(head(output.features), self.settings.power)

    def __call__(self, probabilities: list[Tensor]) -> list[Tensor]:
        """For each image A, float32[C + 1, h, w], background first -> the same after spreading.

        An image of which no class is asked stays as it is.
        """
        asked = [index for index, planes in enumerate(probabilities) if len(planes) > 1]
        small = {index: _sized(probabilities[index], self.features[1].shape[2:]) for index in asked}
        walked = self._learned(small) if self.walk else {key: self._of_features(key, own) for key, own in small.items()}
        return [
            _sized(walked[index], planes.shape[1:]) if index in walked else planes
            for index, planes in enumerate(probabilities)
        ]

    def _of_features(self, index: int, planes: Tensor) -> Tensor:
        # An image at a time: its transitions grow with the square of its pixels.
        features = [layer[index : index + 1] for layer in self.features]
        walk = FeatureWalk(feature_affinity(features, planes.shape[1:], self.settings.power, self.settings.layers))
        planes = spread(planes, walk, self.settings.steps)
        for _ in range(self.again):
            planes = spread(self._read_again(index, planes), walk, self._fewer_steps)
        return planes

    def _learned(self, planes: dict[int, Tensor]) -> dict[int, Tensor]:
        planes = self._together(planes, self.settings.steps)
        for _ in range(self.again):
            read = {index: self._read_again(index, own) for index, own in planes.items()}
            planes = self._together(read, self._fewer_steps)
        return planes

    def _together(self, planes: dict[int, Tensor], steps: int) -> dict[int, Tensor]:
        """All images in one walk: those with fewer classes are filled up with planes that stay 0."""
        if not planes:
            return {}
        first = next(iter(planes.values()))
        batch = first.new_zeros(len(self.features[0]), max(map(len, planes.values())), *first.shape[1:])
        for index, own in planes.items():
            batch[index, : len(own)] = own
        batch = spread(batch, self.walk, steps)
        return {index: batch[index, : len(own)] for index, own in planes.items()}

    def _read_again(self, index: int, planes: Tensor) -> Tensor:
        return read_again(planes, self.embedding[index], self.temperature, self.parts_classes)

    @property
    def _fewer_steps(self) -> int:
        """Half as far: most of the way has been gone."""
        return -(-self.settings.steps // 2)


def _sized(planes: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(planes[None], size, mode="bilinear", align_corners=False)[0]
