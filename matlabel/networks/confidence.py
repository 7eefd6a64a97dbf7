"""Confident regions of training images: the pixels that the contrastive terms sample."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

LEVEL = 0.4
AHEAD = 0.1
BACKGROUND = 0.1
SHARE = 0.2
LEAST = 4
PIXELS = 32


@dataclass
class Regions:
    """Confident regions of a batch, N = h·w pixels an image; P pairs of an image and a class present in it.

    Attributes:
        image: int64[P] index of the image in the batch.
        label: int64[P] index of the class, 0..K-1.
        confident: bool[P, N].
        value: M of the pair's class, float32[P, N].
        background: bool[B, N] confident background.
        pixels: Z as float32[B, N, d].
    """

    image: Tensor
    label: Tensor
    confident: Tensor
    value: Tensor
    background: Tensor
    pixels: Tensor

    def chosen(self) -> Tensor:
        """bool[P, N]: of each pair's confident pixels, the 32 most and the 32 least certain."""
        order = self.value.masked_fill(~self.confident, -1).argsort(dim=1, descending=True, stable=True)
        rank = torch.empty_like(order).scatter_(
            1, order, torch.arange(order.shape[1], device=order.device).expand_as(order)
        )
        count = self.confident.sum(1, keepdim=True)
        return self.confident & ((rank < PIXELS) | (rank >= count - PIXELS))

    def prototypes(self) -> Tensor:
        """float32[P, d] of unit length: mean embedding of each pair's confident pixels, weighted by M."""
        weights = self.value * self.confident
        return F.normalize(torch.einsum("pn,pnd->pd", weights, self.pixels[self.image]), dim=1)

    def background_prototypes(self) -> tuple[Tensor, Tensor]:
        """(float32[B, d] of unit length, bool[B]: the image has confident background at all)."""
        mean = torch.einsum("bn,bnd->bd", self.background.float(), self.pixels)
        return F.normalize(mean, dim=1), self.background.any(1)


def lead(relative: Tensor, image: Tensor, label: Tensor) -> Tensor:
    """Margin of M of a class over every other class: [P, ...] for P pairs, from M [B, K, ...]."""
    others = relative[image].clone()
    others[torch.arange(len(image), device=others.device), label] = 0
    return relative[image, label] - others.amax(1)


def confident_cells(flat: Tensor, image: Tensor, label: Tensor) -> Tensor:
    """bool[P, N]: M_c ≥ .4 and .1 ahead of every other class, of P pairs of an image and a class; M as [B, K, N]."""
    return (flat[image, label] >= LEVEL) & (lead(flat, image, label) >= AHEAD)


def confident_regions(relative: Tensor, embedding: Tensor, tags: Tensor, valid: Tensor | None = None) -> Regions:
    """The confident regions: M_c ≥ .4 and .1 ahead of every other class, at most the best 20 % of pixels, at least 4.

    Args:
        relative: M, float32[B, K, h, w], without gradient.
        embedding: Z, float32[B, d, h, w].
        tags: [B, K].
        valid: bool[B, h, w], False where a transformed view shows nothing; None: everywhere True.

    Returns:
        the regions; pairs without enough confident pixels are left out. Confident background is max M < .1.
    """
    height, width = relative.shape[2:]
    flat = relative.flatten(2)
    inside = torch.ones_like(flat[:, 0], dtype=torch.bool) if valid is None else valid.flatten(1)
    image, label = tags.bool().nonzero(as_tuple=True)
    value = flat[image, label]
    confident = confident_cells(flat, image, label) & inside[image]
    most = max(LEAST, int(SHARE * height * width))
    if most < value.shape[1]:
        # Among equals the first pixels win: a threshold alone would let a flat map keep everything.
        order = value.masked_fill(~confident, -1).argsort(dim=1, descending=True, stable=True)
        keep = torch.zeros_like(confident).scatter_(1, order[:, :most], True)
        confident = confident & keep
    enough = confident.sum(1) >= LEAST
    background = (flat.amax(1) < BACKGROUND) & inside
    background = background & (background.sum(1, keepdim=True) >= LEAST)
    pixels = embedding.flatten(2).transpose(1, 2)
    return Regions(image[enough], label[enough], confident[enough], value[enough], background, pixels)
