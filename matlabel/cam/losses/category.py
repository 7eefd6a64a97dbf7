"""Category decoupling: every class keeps to its own centre in the embedding, away from all others."""

import torch
import torch.nn.functional as F
from torch import Tensor

from matlabel.cam.centres import Centres
from matlabel.networks.confidence import Regions


def category_loss(regions: Regions, centres: Centres, temperature: float, rivals: Tensor | None = None) -> Tensor:
    """InfoNCE over prototypes, for a region's embedding and for its 32 most and 32 least certain pixels.

        L(z, c) = −log  exp(z·p_c / τ) / ( Σ_k exp(z·p_k / τ) + Σ_b exp(z·q_b / τ) )

    with class centres p and background centres q; the mean over regions of ½ [L(region) + mean L(pixel)]. With
    `rivals`, k runs over those of the region's image alone, there are no q, and regions without another rival are out.

    Args:
        regions: of a batch, with gradient through the embedding.
        centres: without gradient; classes and backgrounds not seen yet stay out.
        temperature: τ.
        rivals: bool[B, K], the classes that an image's regions are told apart from; None: all, and the background.

    Returns:
        float32 scalar; 0 where there is nothing to contrast.
    """
    # A copy: the centres move before the gradient is taken.
    against = centres.classes.clone()
    allowed = centres.known.expand(len(regions.image), -1)
    if rivals is None:
        against = torch.cat([against, centres.known_background()])
        allowed = F.pad(allowed, (0, len(against) - len(centres.known)), value=True)
    else:
        allowed = allowed & rivals[regions.image]
    keep = centres.known[regions.label] & (allowed.sum(1) > (0 if rivals is None else 1))
    if not keep.any():
        return regions.pixels.sum() * 0
    image, label, allowed = regions.image[keep], regions.label[keep], allowed[keep]

    def loss(embedding: Tensor, target: Tensor, allowed: Tensor) -> Tensor:
        logits = (embedding @ against.T / temperature).masked_fill(~allowed, float("-inf"))
        return F.cross_entropy(logits, target, reduction="none")

    of_regions = loss(regions.prototypes()[keep], label, allowed)
    chosen = regions.chosen()[keep]
    pair, pixel = chosen.nonzero(as_tuple=True)
    of_pixels = loss(regions.pixels[image[pair], pixel], label[pair], allowed[pair])
    totals = torch.zeros_like(of_regions).index_add(0, pair, of_pixels)
    return (0.5 * (of_regions + totals / chosen.sum(1))).mean()
