"""Centres of classes and background in the embedding: moving averages, without gradient."""

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from matlabel.networks.confidence import Regions


class Centres(nn.Module):
    """Class and background centres as buffers: saved in checkpoints, equal in all processes.

    Args:
        classes, background: numbers of centres.
        queue: background regions of other images that are kept.
        size: channels d of the embedding.
        momentum: of the moving averages, reached as min(1 − 1 / (t + 1), momentum).
        alone: bool[classes], True for classes that have images with no other tag: those lead their centre. A class
            without any takes, of its regions, the half of the pixels that is farthest from the centres of its co-tags.
    """

    def __init__(self, classes: int, background: int, queue: int, size: int, momentum: float, alone: Tensor):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("alone", alone.bool())
        self.register_buffer("classes", torch.zeros(classes, size))
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.int64))
        self.register_buffer("background", torch.zeros(background, size))
        self.register_buffer("background_seen", torch.zeros(background, dtype=torch.int64))
        self.register_buffer("queue", torch.zeros(queue, size))
        self.register_buffer("queued", torch.zeros((), dtype=torch.int64))

    @property
    def known(self) -> Tensor:
        """bool[classes]: the class's centre has been updated at least once."""
        return self.seen > 0

    def known_background(self) -> Tensor:
        """float32[n, d]: the background centres that have been updated at least once."""
        return self.background[self.background_seen > 0]

    def known_queue(self) -> Tensor:
        """float32[n, d]: the filled part of the queue."""
        return self.queue[: int(self.queued.clamp_max(len(self.queue)))]

    @torch.no_grad()
    def update(self, regions: Regions, tags: Tensor) -> None:
        """Move the centres towards a batch; every process ends with the same ones."""
        self._move_classes(regions, tags)
        backgrounds, there = regions.background_prototypes()
        backgrounds, there = _gather(backgrounds), _gather(there)
        found = backgrounds[there]
        self._move_backgrounds(found)
        self._enqueue(found)

    def _move_classes(self, regions: Regions, tags: Tensor) -> None:
        single = tags.bool().sum(1)[regions.image] == 1
        leads = single | ~self.alone[regions.label]
        weights = regions.value * self._far_from_others(regions, tags, single)
        means = F.normalize(torch.einsum("pn,pnd->pd", weights, regions.pixels[regions.image]), dim=1)
        sums, counts = torch.zeros_like(self.classes), torch.zeros_like(self.seen)
        sums.index_add_(0, regions.label[leads], means[leads])
        counts.index_add_(0, regions.label[leads], torch.ones_like(regions.label[leads]))
        _sum(sums)
        _sum(counts)
        moved = counts > 0
        momentum = (1 - 1 / (self.seen + 1.0)).clamp_max(self.momentum)[moved, None]
        fresh = F.normalize(sums[moved], dim=1)
        self.classes[moved] = F.normalize(momentum * self.classes[moved] + (1 - momentum) * fresh, dim=1)
        self.seen[moved] += 1

    def _far_from_others(self, regions: Regions, tags: Tensor, single: Tensor) -> Tensor:
        """bool[P, N]: the confident pixels that may update their class's centre."""
        cosine = torch.einsum("pnd,kd->pnk", regions.pixels[regions.image], self.classes)
        co_tags = tags.bool()[regions.image].clone()
        co_tags[torch.arange(len(co_tags), device=co_tags.device), regions.label] = False
        nearest = cosine.masked_fill(~(co_tags & self.known)[:, None, :], -1).amax(2)
        middle = nearest.masked_fill(~regions.confident, float("nan")).nanmedian(1, keepdim=True).values
        return regions.confident & (single[:, None] | (nearest <= middle))

    def _move_backgrounds(self, found: Tensor) -> None:
        # On the CPU: each region's centre depends on where the last one went, and a GPU would be waited for each time.
        centres, seen = self.background.cpu(), self.background_seen.tolist()
        for region in found.cpu():
            likeness = centres @ region
            nearest = int(likeness.argmax())
            # An own centre for what resembles none so far, as long as there are free ones.
            if 0 in seen and (seen[nearest] == 0 or likeness[nearest] < 0.8):
                nearest = seen.index(0)
            momentum = min(1 - 1 / (seen[nearest] + 1), self.momentum)
            centres[nearest] = F.normalize(momentum * centres[nearest] + (1 - momentum) * region, dim=0)
            seen[nearest] += 1
        self.background.copy_(centres)
        self.background_seen.copy_(torch.tensor(seen))

    def _enqueue(self, found: Tensor) -> None:
        if not len(self.queue):
            return
        numbers = self.queued + torch.arange(len(found), device=found.device)
        # Of more than it holds the last remain: each place is written once.
        kept = slice(max(0, len(found) - len(self.queue)), None)
        self.queue[numbers[kept] % len(self.queue)] = found[kept]
        self.queued += len(found)


def _parallel() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def _sum(tensor: Tensor) -> None:
    if _parallel():
        dist.all_reduce(tensor)


def _gather(tensor: Tensor) -> Tensor:
    if not _parallel():
        return tensor
    parts = [torch.empty_like(tensor) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, tensor.contiguous())
    return torch.cat(parts)
