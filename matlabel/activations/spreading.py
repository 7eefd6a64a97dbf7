"""Spreading the activations of a batch of images of one size: random walks, refined by the embedding in between."""

import torch.nn.functional as F
from torch import Tensor

from matlabel.activations.own_prototypes import refine_by_prototypes
from matlabel.activations.random_walk import similarity, spread, transitions
from matlabel.networks.classifier import Output
from matlabel.settings.activations import ActivationsSettings


class Spreading:
    """Random walks over the similarity of the backbone's features, on the grid of layer 2 (stride 8).

    Args:
        output: of the batch, at the size at which its pixels are compared.
        settings: `spread` (again: where an embedding is read at all).
        parts_classes: whether the embedding tells classes apart (see `Classifier`).
    """

    def __init__(self, output: Output, settings: ActivationsSettings, parts_classes: bool = True):
        self.features = output.features
        self.settings = settings.spread
        self.temperature = settings.temperature
        self.again = settings.spread.again if settings.read != "maps" and output.embedding is not None else 0
        if self.again:
            size = self.features[1].shape[2:]
            enlarged = F.interpolate(output.embedding.float(), size, mode="bilinear", align_corners=False)
            self.embedding = F.normalize(enlarged, dim=1)
        self.parts_classes = parts_classes

    def __call__(self, probabilities: list[Tensor]) -> list[Tensor]:
        """For each image A, float32[C + 1, h, w], background first -> the same after spreading.

        An image of which no class is asked stays as it is.
        """
        return [
            self._spread(index, planes) if len(planes) > 1 else planes for index, planes in enumerate(probabilities)
        ]

    def _spread(self, index: int, probabilities: Tensor) -> Tensor:
        planes = _sized(probabilities, self.features[1].shape[2:])
        # An image at a time: its transitions grow with the square of its pixels.
        features = [layer[index : index + 1] for layer in self.features]
        transition = transitions(similarity(features, planes.shape[1:], self.settings.layers), self.settings.power)
        planes = spread(planes, transition, self.settings.steps)
        for _ in range(self.again):
            planes = refine_by_prototypes(planes, self.embedding[index], self.temperature, self.parts_classes)
            # Half as far: most of the way has been gone.
            planes = spread(planes, transition, -(-self.settings.steps // 2))
        return _sized(planes, probabilities.shape[1:])


def _sized(planes: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(planes[None], size, mode="bilinear", align_corners=False)[0]
