"""Affinity: pixels that surely belong together come near each other, pixels that surely do not part."""

import torch
import torch.nn.functional as F
from torch import Tensor

from matlabel.classifier.affinity import RADIUS, distances
from matlabel.classifier.neighbours import half_disc, pairs
from matlabel.classifier.regions import AHEAD, BACKGROUND, LEVEL

UNKNOWN = 255
# The affinity is taken (1 − FLOOR) times in the repulsion, so that equal features cost a finite −log FLOOR.
FLOOR = 0.01


def sure_regions(relative: Tensor, size: tuple[int, int], valid: Tensor | None = None) -> Tensor:
    """A trimap of each image: sure class c where M_c ≥ .4 and .1 ahead, sure background where max M < .1.

    Args:
        relative: M, float32[B, K, h, w], without gradient.
        size: (h', w') of the trimap.
        valid: bool[B, h', w'], False where a transformed view shows nothing; None: everywhere True.

    Returns:
        uint8[B, h', w']: 0 background, 1..K class, 255 unknown.
    """
    relative = F.interpolate(relative, size, mode="bilinear", align_corners=False)
    best = relative.topk(min(2, relative.shape[1]), dim=1)
    first = best.values[:, 0]
    second = best.values[:, 1] if relative.shape[1] > 1 else torch.zeros_like(first)
    trimap = torch.full_like(first, UNKNOWN, dtype=torch.uint8)
    trimap[first < BACKGROUND] = 0
    sure = (first >= LEVEL) & (first - second >= AHEAD)
    trimap[sure] = best.indices[:, 0][sure].to(torch.uint8) + 1
    if valid is not None:
        trimap[~valid] = UNKNOWN
    return trimap


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
