"""Copy-paste of a class's confident region onto another image of the batch, away from classes it co-occurs with.

Copy-paste (Ghiasi et al., "Simple Copy-Paste Is a Strong Data Augmentation Method for Instance Segmentation", CVPR
2021; hard edges, as there) with regions of class maps for masks, as in context decoupling (Su et al., "Context
Decoupling Augmentation for Weakly Supervised Semantic Segmentation", ICCV 2021). There a first model cuts objects out
of single-tag images beforehand; here the teacher of the same training cuts them out of the batch, at their own place.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from matlabel.networks.confidence import AHEAD, LEVEL, lead

# A region's share of the crop: smaller is a speck, larger leaves little of the host.
SMALLEST = 0.02
LARGEST = 0.5


@dataclass
class Pastes:
    """The regions to paste in a batch: source, host, class and mask of each.

    Attributes:
        source: int64[B], the image that is cut from; an image's own number where nothing is pasted.
        label: int64[B], the class of what is pasted, 0..K-1.
        region: bool[B, H, W], the pasted pixels; none where nothing is pasted.
    """

    source: Tensor
    label: Tensor
    region: Tensor

    def onto(self, planes: Tensor) -> Tensor:
        """Planes [B, C, h, w] of any size: the source's inside the region, mixed in cells that its border crosses."""
        share = _share(self.region, planes)
        return planes * (1 - share) + planes[self.source] * share

    def onto_maps(self, relative: Tensor) -> Tensor:
        """M, [B, K, h, w]: inside the region the source's of the pasted class, and no other class."""
        share = _share(self.region, relative)
        pasted = relative[self.source] * self._one_hot(relative.shape[1], relative.dtype)[:, :, None, None]
        return relative * (1 - share) + pasted * share

    def united(self, tags: Tensor) -> Tensor:
        """Tags [B, K] of the images after pasting: the host's and the pasted class."""
        pasted = self.region.flatten(1).any(1, keepdim=True)
        return tags.maximum(self._one_hot(tags.shape[1], tags.dtype) * pasted)

    def possible(self, tags: Tensor) -> Tensor:
        """[B, K]: classes that a pasted image may show if the region is misjudged: the host's and the source's."""
        return tags.maximum(tags[self.source])

    def _one_hot(self, classes: int, dtype: torch.dtype) -> Tensor:
        return F.one_hot(self.label, classes).to(dtype)


@torch.no_grad()
def choose_pastes(
    relative: Tensor, tags: Tensor, size: tuple[int, int], share: float, generator: torch.Generator
) -> Pastes:
    """Draw the hosts, and for each a region of a class that it is not tagged with.

    Nothing is pasted on a host that no region fits, or of which a class would no longer be seen (M ≥ .4 nowhere
    outside the region): its tags would be wrong.

    Args:
        relative: M of the plain images, float32[B, K, h, w].
        tags: [B, K].
        size: (H, W) of the images.
        share: of the images that are hosts, 0..1, in expectation.
        generator: on the CPU.
    """
    count, device = len(tags), tags.device
    many = int(share * count + float(torch.rand((), generator=generator)))
    hosts = torch.randperm(count, generator=generator)[:many].to(device)
    own = torch.arange(count, device=device)
    image, label = tags.bool().nonzero(as_tuple=True)
    if not len(image):
        return Pastes(own, torch.zeros_like(own), torch.zeros(count, *size, dtype=torch.bool, device=device))
    regions = _regions(relative, image, label, size)
    covered = regions.flatten(1).float().mean(1)
    fits = (covered >= SMALLEST) & (covered <= LARGEST) & (image != own[:, None]) & ~tags.bool()[:, label]
    drawn = torch.rand(count, len(image), generator=generator).to(device)
    chance, pair = drawn.masked_fill(~fits, -1).max(1)
    pasted = torch.zeros(count, dtype=torch.bool, device=device).index_fill(0, hosts, True) & (chance >= 0)
    region = regions[pair] & pasted[:, None, None]
    pasted = pasted & _own_classes_stay(relative, tags, region)
    return Pastes(
        torch.where(pasted, image[pair], own), torch.where(pasted, label[pair], 0), region & pasted[:, None, None]
    )


def _regions(relative: Tensor, image: Tensor, label: Tensor, size: tuple[int, int]) -> Tensor:
    """bool[P, H, W]: M_c ≥ .4 and .1 ahead of every other class, interpolated to pixels."""
    value = relative[image, label]
    over = torch.minimum(value - LEVEL, lead(relative, image, label) - AHEAD)
    return F.interpolate(over[:, None], size, mode="bilinear", align_corners=False)[:, 0] >= 0


def _own_classes_stay(relative: Tensor, tags: Tensor, region: Tensor) -> Tensor:
    """bool[B]: each of the image's classes has M ≥ .4 in a cell that the region leaves at least half of."""
    left = relative * (_share(region, relative) <= 0.5)
    return ((left.amax((2, 3)) >= LEVEL) | ~tags.bool()).all(1)


def _share(region: Tensor, planes: Tensor) -> Tensor:
    """[B, 1, h, w]: how much of each cell of `planes` lies in the region."""
    return F.interpolate(region[:, None].to(planes.dtype), planes.shape[2:], mode="area")
