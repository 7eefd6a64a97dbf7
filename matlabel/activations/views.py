"""Reading an image in several sizes, mirrored and not, and averaging."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from matlabel.activations.readout import combine, from_embedding, from_maps
from matlabel.activations.sizes import grid, scaled_size
from matlabel.activations.spread import STRIDE, feature_affinity, spread
from matlabel.backbones import normalise
from matlabel.classifier.load import Classifier
from matlabel.classifier.network import Output
from matlabel.settings.activations import ActivationsSettings


@dataclass
class Activations:
    """What is known of one image.

    Attributes:
        probabilities: A, float32[C + 1, h, w], background first, summing to one.
        unspread: the same before spreading, or None without spreading.
        agreement: float32[h, w], share of the views and read-outs whose winner is the final one.
    """

    probabilities: Tensor
    unspread: Tensor | None
    agreement: Tensor


# Features of the view nearest to scale 1, and the grid on which they are compared.
Middle = tuple[list[Tensor], tuple[int, int]]


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
    plain = normalise(images)
    views: list[list[Tensor]] = [[] for _ in labels]
    middles: list[Middle | None] = [None] * len(labels)
    # The reference for spreading is the view nearest to scale 1.
    middle = min(settings.scales, key=lambda scale: abs(scale - 1))
    for scale in settings.scales:
        target = scaled_size(height, width, settings.size * scale)
        scaled = F.interpolate(plain, target, mode="bilinear", align_corners=False, antialias=True)
        for mirrored in (False, True) if settings.flip else (False,):
            output = classifier.network(scaled.flip(3) if mirrored else scaled)
            for index, present in enumerate(labels):
                one = _only(output, index)
                views[index] += [_sized(way, size, mirrored) for way in _read(one, classifier, present, settings)]
                if settings.spread.steps and scale == middle and not mirrored:
                    coarse = (-(-target[0] // STRIDE), -(-target[1] // STRIDE))
                    middles[index] = (one.features, coarse)
    return [_finish(ways, middle, settings) for ways, middle in zip(views, middles, strict=True)]


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


def _finish(ways: list[Tensor], middle: Middle | None, settings: ActivationsSettings) -> Activations:
    count = 2 if settings.read == "both" and len(ways[0]) > 1 else 1
    means = [torch.stack(ways[first::count]).mean(0) for first in range(count)]
    unspread = combine(means)
    final = unspread
    if middle is not None and len(unspread) > 1:
        features, coarse = middle
        affinity = feature_affinity(features, coarse, settings.spread.power)
        size = unspread.shape[1:]
        small = F.interpolate(unspread[None], coarse, mode="bilinear", align_corners=False)[0]
        final = F.interpolate(spread(small, affinity, settings.spread.steps)[None], size, mode="bilinear")[0]
    winner = final.argmax(0)
    agreement = torch.stack([way.argmax(0) == winner for way in ways]).float().mean(0)
    return Activations(final, unspread if middle is not None else None, agreement)
