"""The D2CAM classifier: class maps that pool to image logits, and an embedding of every pixel."""

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matlabel.networks.backbone import Backbone


@dataclass
class Output:
    """The classifier's output for a batch.

    Attributes:
        maps: S, float32[B, K, h, w]: class maps before ReLU.
        embedding: Z, float32[B, d, h, w] of unit length, or None without an embedding head.
        features: maps of the backbone's four layers.
    """

    maps: Tensor
    embedding: Tensor | None
    features: list[Tensor]

    @property
    def logits(self) -> Tensor:
        """Image logits float32[B, K]: the spatial mean of S."""
        return self.maps.mean((2, 3))


class CamNetwork(nn.Module):
    """S = w·F and Z = g(F) / |g(F)| on the features F of a backbone; g is two 1×1 convolutions.

    Args:
        backbone: where F comes from.
        classes: K.
        embedding_size: d; None: no embedding.
    """

    def __init__(self, backbone: Backbone, classes: int, embedding_size: int | None):
        super().__init__()
        self.backbone = backbone
        # First, so that it starts the same with and without an embedding: what terms add is then all that differs.
        self.classifier = _initialised(nn.Conv2d(backbone.channels, classes, 1, bias=False))
        self.embedder = None
        if embedding_size:
            width = max(embedding_size, backbone.channels // 4)
            self.embedder = nn.Sequential(
                _initialised(nn.Conv2d(backbone.channels, width, 1)),
                nn.ReLU(inplace=True),
                _initialised(nn.Conv2d(width, embedding_size, 1)),
            )

    @property
    def heads(self) -> list[nn.Module]:
        """The layers without pretrained weights."""
        return [head for head in (self.classifier, self.embedder) if head is not None]

    def forward(self, images: Tensor, embed: bool = True) -> Output:
        """Normalised images [B, 3, H, W] -> maps and (if wanted and there is a head) embedding at the output stride."""
        features = self.backbone(images)
        maps = self.classifier(features[-1]).float()
        embedding = None
        if embed and self.embedder is not None:
            embedding = F.normalize(self.embedder(features[-1]).float(), dim=1)
        return Output(maps, embedding, features)

    def frozen_copy(self) -> "CamNetwork":
        """A copy without gradients: the teacher."""
        return copy.deepcopy(self).requires_grad_(False)


def _initialised(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    return layer


def relative_maps(maps: Tensor, tags: Tensor) -> Tensor:
    """M_c = ReLU(S_c) / max ReLU(S_c) of the present classes, 0 of the absent: float32[B, K, h, w] in [0, 1].

    Args:
        maps: S, float32[B, K, h, w].
        tags: y, [B, K], 1 where the class is tagged.
    """
    positive = F.relu(maps) * tags[:, :, None, None]
    # The peak is a scale, not something to learn from: a term moves the pixels it speaks of and no others.
    return positive / positive.detach().amax((2, 3), keepdim=True).clamp_min(1e-5)


def distribution(relative: Tensor, gamma: float) -> Tensor:
    """Relative maps -> A ∝ [(1 − max M)^γ, M_1 … M_K] that sums to one over its first axis but one.

    Args:
        relative: M, float32[..., K, h, w] in [0, 1]; K may be 0.
        gamma: larger takes more from the background.

    Returns:
        float32[..., K + 1, h, w], background first.
    """
    if relative.shape[-3] == 0:
        return torch.ones(*relative.shape[:-3], 1, *relative.shape[-2:], device=relative.device)
    background = (1 - relative.amax(-3, keepdim=True)) ** gamma
    scores = torch.cat([background, relative], -3)
    return scores / scores.sum(-3, keepdim=True).clamp_min(1e-5)
