"""A second round: a trained segmenter's probabilities for the training images, absent classes set to 0."""

import torch
from torch import Tensor

from matlabel.activations.sizes import grid, scaled_size
from matlabel.networks.segmenter import SegmenterNetwork, logits_of_views
from matlabel.settings.activations import ActivationsSettings


@torch.inference_mode()
def second_round(
    images: Tensor,
    labels: list[list[int]],
    original: tuple[int, int],
    network: SegmenterNetwork,
    settings: ActivationsSettings,
) -> list[Tensor]:
    """Probabilities of a batch of images of one size, averaged over sizes and mirror images.

    Each view's probabilities are conditioned on the tags before they are averaged: p_c / Σ p over background and the
    present classes, which is the softmax of their logits alone. A segmenter has learned whole objects from matted
    labels, so nothing is spread.

    Args:
        images: uint8[B, 3, h', w'], perhaps brought down already.
        labels: for each image, the label values 1..K that are present, ascending; perhaps none.
        original: (H, W) of the photographs; the result has a quarter of it.
        network: in evaluation mode.
        settings: sizes and mirror images.

    Returns:
        for each image A, float32[C + 1, h, w], background first, summing to one.
    """
    sizes = [scaled_size(*images.shape[2:], settings.size * scale) for scale in settings.scales]
    views: list[list[Tensor]] = [[] for _ in labels]
    for logits in logits_of_views(network, images, sizes, settings.flip, grid(*original)):
        for ways, planes, present in zip(views, logits, labels, strict=True):
            ways.append(planes[[0, *present]].softmax(0))
    return [torch.stack(ways).mean(0) for ways in views]
