"""Category decoupling: every class keeps to its own centre in the embedding, away from all others."""

import torch
import torch.nn.functional as F
from torch import Tensor

from matlabel.cam.centres import Centres
from matlabel.networks.confidence import Regions


def category_loss(regions: Regions, centres: Centres, temperature: float) -> Tensor:
    """InfoNCE over prototypes, for a region's embedding and for its 32 most and 32 least certain pixels.

        L(z, c) = −log  exp(z·p_c / τ) / ( Σ_k exp(z·p_k / τ) + Σ_b exp(z·q_b / τ) )

    with class centres p and background centres q; the mean over regions of ½ [L(region) + mean L(pixel)].

    Args:
        regions: of a batch, with gradient through the embedding.
        centres: without gradient; classes and backgrounds not seen yet stay out.
        temperature: τ.

    Returns:
        float32 scalar; 0 where there is nothing to contrast.
    """
    keep = centres.known[regions.label]
    if not keep.any():
        return regions.pixels.sum() * 0
    image, label = regions.image[keep], regions.label[keep]
    # A copy: the centres move before the gradient is taken.
    against = torch.cat([centres.classes, centres.known_background()])
    unknown = F.pad(~centres.known, (0, len(against) - len(centres.known)))

    def loss(embedding: Tensor, target: Tensor) -> Tensor:
        logits = (embedding @ against.T / temperature).masked_fill(unknown, float("-inf"))
        return F.cross_entropy(logits, target, reduction="none")

    of_regions = loss(regions.prototypes()[keep], label)
    chosen = regions.chosen()[keep]
    pair, pixel = chosen.nonzero(as_tuple=True)
    of_pixels = loss(regions.pixels[image[pair], pixel], label[pair])
    totals = torch.zeros_like(of_regions).index_add(0, pair, of_pixels)
    return (0.5 * (of_regions + totals / chosen.sum(1))).mean()
