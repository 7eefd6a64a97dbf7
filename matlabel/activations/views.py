"""Multi-scale and flip averaging of the classifier's read-outs."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from matlabel.activations.readout import combine, from_embedding, from_maps
from matlabel.activations.sizes import grid, scaled_size
from matlabel.activations.spreading import Spreading
from matlabel.networks.classifier import Output
from matlabel.networks.trained_classifier import Classifier
from matlabel.settings.activations import ActivationsSettings


@dataclass
class Activations:
    """The averaged read-outs of one image.

    Attributes:
        probabilities: A, float32[C + 1, h, w], background first, summing to one.
        unspread: the same before spreading, or None without spreading.
    """

    probabilities: Tensor
    unspread: Tensor | None


@torch.inference_mode()
def activations(
    images: Tensor,
    labels: list[list[int]],
    original: tuple[int, int],
    classifier: Classifier,
    settings: ActivationsSettings,
) -> list[Activations]:
    """Activations of a batch of images of one size.

    Args:
        images: uint8[B, 3, h', w'], perhaps brought down already.
        labels: for each image, the class indices 0..K-1 that are present, ascending.
        original: (H, W) of the photographs; the result has a quarter of it.
        classifier: trained, in evaluation mode.
        settings: read-out, sizes, spreading.
    """
    height, width = images.shape[2:]
    size = grid(*original)
    plain = classifier.network.backbone.scale(images)
    views: list[list[Tensor]] = [[] for _ in labels]
    spread_all = None
    # Pixels are compared in the largest view, where the features tell most of them apart.
    finest = max(settings.scales)
    for scale in settings.scales:
        target = scaled_size(height, width, settings.size * scale)
        scaled = F.interpolate(plain, target, mode="bilinear", align_corners=False, antialias=True)
        for mirrored in (False, True) if settings.flip else (False,):
            output = classifier.network(scaled.flip(3) if mirrored else scaled)
            for index, present in enumerate(labels):
                one = _only(output, index)
                views[index] += [_sized(way, size, mirrored) for way in _read(one, classifier, present, settings)]
            if settings.spread.steps and scale == finest and not mirrored:
                spread_all = Spreading(output, settings, classifier.parts_classes)
    unspread = [combine(_means(ways, settings)) for ways in views]
    if spread_all is None:
        return [Activations(found, None) for found in unspread]
    return list(map(Activations, spread_all(unspread), unspread))


def _only(output: Output, index: int) -> Output:
    embedding = output.embedding[index : index + 1] if output.embedding is not None else None
    return Output(output.maps[index : index + 1], embedding, [layer[index : index + 1] for layer in output.features])


def _read(output: Output, classifier: Classifier, present: list[int], settings: ActivationsSettings) -> list[Tensor]:
    if not present:
        return [torch.ones(1, *output.maps.shape[2:], device=output.maps.device)]
    ways = []
    if settings.read in ("maps", "both"):
        ways.append(from_maps(output, present, settings.gamma))
    if settings.read in ("embedding", "both"):
        ways.append(from_embedding(output, classifier, present, settings))
    return ways


def _sized(way: Tensor, size: tuple[int, int], mirrored: bool) -> Tensor:
    way = way.flip(2) if mirrored else way
    return F.interpolate(way[None], size, mode="bilinear", align_corners=False)[0]


def _means(ways: list[Tensor], settings: ActivationsSettings) -> list[Tensor]:
    """Each read-out averaged over the views."""
    count = 2 if settings.read == "both" and len(ways[0]) > 1 else 1
    return [torch.stack(ways[first::count]).mean(0) for first in range(count)]
