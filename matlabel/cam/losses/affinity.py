"""Affinity: pixels that surely belong together come near each other, pixels that surely do not part."""

import torch
from torch import Tensor

from matlabel.networks.affinity import RADIUS, distances
from matlabel.networks.classifier import distribution
from matlabel.networks.feature_walk import FeatureWalk, feature_affinity
from matlabel.networks.neighbours import half_disc, pairs
from matlabel.networks.spread import spread

UNKNOWN = 255
SURE = 0.6
# Of the maps that teach: background (1 − max M)^γ, and the walk over the features.
GAMMA = 4.0
POWER = 8.0
STEPS = 4
# The affinity is taken (1 − FLOOR) times in the repulsion, so that equal features cost a finite −log FLOOR.
FLOOR = 0.01


def walked_maps(relative: Tensor, features: list[Tensor]) -> Tensor:
    """A of the class maps, spread over the trunk's features of the same image.

    The maps alone are a poor teacher of borders: they fade inside objects, so that on photographs seven of ten near
    pairs with a sure object at one end and sure background at the other lay in one and the same region. After
    spreading it is five of ten.

    Args:
        relative: M, float32[B, K, h, w], without gradient.
        features: maps of the trunk's four layers.

    Returns:
        float32[B, K + 1, h, w], background first, summing to one.
    """
    walked = []
    for index, planes in enumerate(distribution(relative, GAMMA)):
        own = [layer[index : index + 1] for layer in features]
        walked.append(spread(planes, FeatureWalk(feature_affinity(own, planes.shape[1:], POWER)), STEPS))
    return torch.stack(walked)


def sure_regions(probabilities: Tensor, valid: Tensor | None = None) -> Tensor:
    """A trimap of each image: what has a probability of at least .6, the rest unknown.

    Args:
        probabilities: A, float32[B, K + 1, h, w], background first.
        valid: bool[B, h, w], False where a transformed view shows nothing; None: everywhere True.

    Returns:
        uint8[B, h, w]: 0 background, 1..K class, 255 unknown.
    """
    best, winner = probabilities.max(1)
    sure = best >= SURE
    if valid is not None:
        sure = sure & valid
    return torch.where(sure, winner, UNKNOWN).to(torch.uint8)


def affinity_loss(feature: Tensor, trimap: Tensor) -> Tensor:
    """Log loss of the affinity a_ij = exp(−d_ij), d_ij = mean_k |f_ik − f_jk|, balanced over three kinds of pairs.

        L = ¼ mean_{both in one object} d_ij  +  ¼ mean_{both background} d_ij
            − ½ mean_{in different regions} log(1 − (1 − ε) a_ij)

    over the pairs of sure pixels at most 5 cells apart, in all images of the batch. The kinds and their balance are
    those of Ahn & Kwak (AffinityNet, CVPR 2018); a kind that no pair is of adds nothing.

    Args:
        feature: f, float32[B, e, h, w], with gradient to the heads.
        trimap: uint8[B, h, w]: 0 background, 1..K class, 255 unknown.

    Returns:
        float32 scalar.
    """
    totals, counts = [feature.sum() * 0] * 3, [0] * 3
    for shift in half_disc(RADIUS):
        distance = distances(feature, shift)
        near, far = pairs(trimap, shift)
        sure, same = (near != UNKNOWN) & (far != UNKNOWN), near == far
        apart = -torch.log1p(-(1 - FLOOR) * torch.exp(-distance))
        for kind, (chosen, loss) in enumerate(
            ((sure & same & (near > 0), distance), (sure & same & (near == 0), distance), (sure & ~same, apart))
        ):
            totals[kind] = totals[kind] + (loss * chosen).sum()
            counts[kind] = counts[kind] + chosen.sum()
    one, background, different = (
        total / torch.as_tensor(count).clamp_min(1) for total, count in zip(totals, counts, strict=True)
    )
    return 0.25 * one + 0.25 * background + 0.5 * different
