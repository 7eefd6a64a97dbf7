"""Spreading a batch of images of one size: which walk, and on which grid."""

import torch.nn.functional as F
from torch import Tensor

from matlabel.activations.local_walk import LocalWalk
from matlabel.classifier.affinity import AffinityHead
from matlabel.classifier.feature_walk import FeatureWalk, feature_affinity
from matlabel.classifier.network import Output
from matlabel.classifier.spread import spread
from matlabel.settings.activations import SpreadSettings


class Spreading:
    """Over the learned affinity of pixels, or that of their features, on the grid of layer 2 (stride 8).

    Args:
        output: of the batch, at the size at which its pixels are compared.
        head: the classifier's learned affinity, if it has any.
        settings: affinity (auto: learned if there is a head), layers, power, steps.
    """

    def __init__(self, output: Output, head: AffinityHead | None, settings: SpreadSettings):
        self.features = output.features
        self.settings = settings
        self.walk = None
        if head is not None and settings.affinity != "features":
            self.walk = LocalWalk(head(output.features), settings.power)

    def __call__(self, probabilities: list[Tensor]) -> list[Tensor]:
        """For each image A, float32[C + 1, h, w], background first -> the same after spreading.

        An image of which no class is asked stays as it is.
        """
        asked = [index for index, planes in enumerate(probabilities) if len(planes) > 1]
        small = [_sized(probabilities[index], self.features[1].shape[2:]) for index in asked]
        walked = self._learned(small, asked) if self.walk else self._of_features(small, asked)
        spreaded = list(probabilities)
        for index, planes in zip(asked, walked, strict=True):
            spreaded[index] = _sized(planes, probabilities[index].shape[1:])
        return spreaded

    def _learned(self, small: list[Tensor], asked: list[int]) -> list[Tensor]:
        if not asked:
            return []
        # All images in one walk: those with fewer classes are filled up with planes that stay 0.
        most = max(map(len, small))
        batch = small[0].new_zeros(len(self.features[0]), most, *small[0].shape[1:])
        for index, planes in zip(asked, small, strict=True):
            batch[index, : len(planes)] = planes
        batch = spread(batch, self.walk, self.settings.steps)
        return [batch[index, : len(planes)] for index, planes in zip(asked, small, strict=True)]

    def _of_features(self, small: list[Tensor], asked: list[int]) -> list[Tensor]:
        walked = []
        for index, planes in zip(asked, small, strict=True):
            features = [layer[index : index + 1] for layer in self.features]
            transition = feature_affinity(features, planes.shape[1:], self.settings.power, self.settings.layers)
            walked.append(spread(planes, FeatureWalk(transition), self.settings.steps))
        return walked


def _sized(planes: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(planes[None], size, mode="bilinear", align_corners=False)[0]
