"""Foreground-background decoupling: contrasts of objects with their background, and of backgrounds with all classes."""

import torch
import torch.nn.functional as F
from torch import Tensor

from matlabel.cam.centres import Centres
from matlabel.networks.confidence import PIXELS, Regions


def foreground_loss(regions: Regions, centres: Centres, temperature: float) -> Tensor:
    """Mean of two InfoNCE terms: objects against backgrounds, and backgrounds against class centres.

    Object: each chosen pixel z of a region with prototype r against N, the 64 pixels of the same image's confident
    background that resemble r most (rails with the train), the queue of other backgrounds and the background centres:

        L(z) = −log  exp(z·r / τ) / ( exp(z·r / τ) + Σ_{n ∈ N} exp(z·n / τ) )

    Background: each image's background prototype b against the class centres p, its nearest background centre q being
    the positive one:

        L(b) = −log  exp(b·q / τ) / ( exp(b·q / τ) + Σ_k exp(b·p_k / τ) )

    Args:
        regions: of a batch, with gradient through the embedding.
        centres: without gradient.
        temperature: τ.

    Returns:
        float32 scalar; 0 where there is nothing to contrast.
    """
    zero = regions.pixels.sum() * 0
    return _objects(regions, centres, temperature, zero) + _backgrounds(regions, centres, temperature, zero)


def _objects(regions: Regions, centres: Centres, temperature: float, zero: Tensor) -> Tensor:
    if not len(regions.image):
        return zero
    prototypes = regions.prototypes()
    pixels = regions.pixels[regions.image]
    likeness = torch.einsum("pnd,pd->pn", pixels, prototypes)
    behind = regions.background[regions.image]
    hardest = likeness.detach().masked_fill(~behind, -2).topk(min(2 * PIXELS, likeness.shape[1]), 1).indices
    near = pixels.gather(1, hardest[..., None].expand(-1, -1, pixels.shape[2]))
    elsewhere = torch.cat([centres.known_queue(), centres.known_background()])

    pair, pixel = regions.chosen().nonzero(as_tuple=True)
    anchors = pixels[pair, pixel]
    positive = (anchors * prototypes[pair]).sum(1, keepdim=True)
    same = torch.einsum("ad,amd->am", anchors, near[pair]).masked_fill(~behind.gather(1, hardest)[pair], float("-inf"))
    logits = torch.cat([positive, same, anchors @ elsewhere.T], 1) / temperature
    return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64, device=logits.device)) / 2


def _backgrounds(regions: Regions, centres: Centres, temperature: float, zero: Tensor) -> Tensor:
    prototypes, there = regions.background_prototypes()
    positives, negatives = centres.known_background(), centres.classes[centres.known]
    if not there.any() or not len(positives) or not len(negatives):
        return zero
    anchors = prototypes[there]
    nearest = (anchors @ positives.T).amax(1, keepdim=True)
    logits = torch.cat([nearest, anchors @ negatives.T], 1) / temperature
    return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64, device=logits.device)) / 2
