"""Refining spread activations by prototypes of the image itself: its own class centres in the embedding."""

import torch
import torch.nn.functional as F
from torch import Tensor

from matlabel.activations.readout import decoupled

SURE = 0.6
# Of the new reading in the geometric mean; the rest is what was there.
SHARE = 0.4


def refine_by_prototypes(probabilities: Tensor, embedding: Tensor, temperature: float, parts_classes: bool) -> Tensor:
    """A ← A^0.6 B^0.4, normalised, with B the probabilities of cos(Z, r) / τ, r the image's own prototypes.

    r_k = normalise Σ A_k Z over the pixels where label k wins with A_k ≥ .6: the first reading knew its class only by
    the few pixels that tell it from others, this one by its body, and the background by what this image has of it.

    Args:
        probabilities: A, float32[C + 1, h, w], background first, summing to one.
        embedding: Z, float32[d, h, w] of unit length.
        temperature: τ.
        parts_classes: whether the embedding tells classes apart; else they keep their shares (see `decoupled`).

    Returns:
        float32[C + 1, h, w]; the argument itself where some label has no such pixel.
    """
    level, winner = probabilities.max(0)
    labels = torch.arange(len(probabilities), device=probabilities.device)[:, None, None]
    weight = probabilities * ((winner == labels) & (level >= SURE))
    if not (weight.sum((1, 2)) > 0).all():
        return probabilities
    prototypes = F.normalize(torch.einsum("khw,dhw->kd", weight, embedding), dim=1)
    cosine = torch.einsum("kd,dhw->khw", prototypes, embedding)
    again = decoupled(cosine / temperature, None if parts_classes else probabilities[1:])
    mean = (1 - SHARE) * probabilities.clamp_min(1e-6).log() + SHARE * again.clamp_min(1e-6).log()
    return F.softmax(mean, 0)
