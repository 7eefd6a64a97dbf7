"""Spreading a batch of images of one size: which walk, on which grid, and what is read again between two walks."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from matlabel.activations.again import read_again
from matlabel.activations.local_walk import LocalWalk
from matlabel.classifier.affinity import AffinityHead
from matlabel.classifier.feature_walk import FeatureWalk, feature_affinity
from matlabel.classifier.network import Output
from matlabel.classifier.spread import spread
from matlabel.settings.activations import ActivationsSettings


class Spreading:
    """Over the learned affinity of pixels, or that of their features, on the grid of layer 2 (stride 8).

    Args:
        output: of the batch, at the size at which its pixels are compared.
        head: the classifier's learned affinity, if it has any.
        settings: `spread` (affinity auto: learned if there is a head; again, where an embedding is read at all).
    """

    def __init__(self, output: Output, head: AffinityHead | None, settings: ActivationsSettings):
        self.features = output.features
        self.settings = settings.spread
        self.temperature = settings.temperature
        self.again = settings.spread.again if settings.read != "maps" and output.embedding is not None else 0
        if self.again:
            size = self.features[1].shape[2:]
            enlarged = F.interpolate(output.embedding.float(), size, mode="bilinear", align_corners=False)
            self.embedding = F.normalize(enlarged, dim=1)
        self.walk = None
        if head is not None and self.settings.affinity != "features":
            self.walk = LocalWalk(head(output.features), self.settings.power)

    def __call__(self, probabilities: list[Tensor]) -> list[Tensor]:
        """For each image A, float32[C + 1, h, w], background first -> the same after spreading.

        An image of which no class is asked stays as it is.
        """
        asked = [index for index, planes in enumerate(probabilities) if len(planes) > 1]
        small = {index: _sized(probabilities[index], self.features[1].shape[2:]) for index in asked}
        walked = self._learned(small) if self.walk else self._of_features(small)
        return [
            _sized(walked[index], planes.shape[1:]) if index in walked else planes
            for index, planes in enumerate(probabilities)
        ]

    def _learned(self, small: dict[int, Tensor]) -> dict[int, Tensor]:
        def walk(planes: dict[int, Tensor], steps: int) -> dict[int, Tensor]:
            if not planes:
                return {}
            # All images in one walk: those with fewer classes are filled up with planes that stay 0.
            first = next(iter(planes.values()))
            batch = first.new_zeros(len(self.features[0]), max(map(len, planes.values())), *first.shape[1:])
            for index, own in planes.items():
                batch[index, : len(own)] = own
            batch = spread(batch, self.walk, steps)
            return {index: batch[index, : len(own)] for index, own in planes.items()}

        return self._in_turns(small, walk)

    def _of_features(self, small: dict[int, Tensor]) -> dict[int, Tensor]:
        walked = {}
        for index, planes in small.items():
            # An image at a time: its transitions grow with the square of its pixels.
            features = [layer[index : index + 1] for layer in self.features]
            transition = feature_affinity(features, planes.shape[1:], self.settings.power, self.settings.layers)
            step = FeatureWalk(transition)

            def walk(planes: dict[int, Tensor], steps: int, step: FeatureWalk = step) -> dict[int, Tensor]:
                return {key: spread(own, step, steps) for key, own in planes.items()}

            walked |= self._in_turns({index: planes}, walk)
        return walked

    def _in_turns(
        self, small: dict[int, Tensor], walk: Callable[[dict[int, Tensor], int], dict[int, Tensor]]
    ) -> dict[int, Tensor]:
        walked = walk(small, self.settings.steps)
        for _ in range(self.again):
            read = {index: read_again(own, self.embedding[index], self.temperature) for index, own in walked.items()}
            # Half as far: most of the way has been gone.
            walked = walk(read, -(-self.settings.steps // 2))
        return walked


def _sized(planes: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(planes[None], size, mode="bilinear", align_corners=False)[0]
