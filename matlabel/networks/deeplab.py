"""The segmenter's network: DeepLabV3 (Chen et al. 2017) on a torchvision trunk."""

from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.segmentation.deeplabv3 import DeepLabHead

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.weights import load_into, load_weights, recorded_settings
from matlabel.networks.backbones import Trunk
from matlabel.settings.segmenter import SegmenterSettings


class DeepLab(nn.Module):
    """torchvision's DeepLabV3 head on a trunk: logits at the trunk's output stride."""

    def __init__(self, trunk: Trunk, classes: int, atrous_rates: list[int]):
        super().__init__()
        self.trunk = trunk
        self.head = DeepLabHead(trunk.channels, classes + 1, atrous_rates)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images [B, 3, H, W] -> float32 logits [B, K + 1, h, w], background first."""
        return self.head(self.trunk(images)[-1]).float()


def load_segmenter(path: str | Path, device: str) -> tuple[DeepLab, list[str]]:
    """Read weights.pt of the stage segmenter: the network in evaluation mode, and its class names.

    Raises:
        UserError: not such a file.
    """
    content = load_weights(path)
    if not {"classes", "settings", "segmenter"} <= content.keys():
        raise UserError(f"{path}: not the weights of a segmenter (weights.pt of the stage segmenter)")
    classes, settings = recorded_settings(path, content, SegmenterSettings)
    trunk = Trunk(settings.backbone, settings.output_stride)
    network = DeepLab(trunk, len(classes), settings.atrous_rates)
    load_into(network, content["segmenter"], str(path))
    return network.eval().requires_grad_(False).to(device), classes


@torch.inference_mode()
def probabilities(network: DeepLab, images: Tensor, sizes: list[tuple[int, int]], flip: bool) -> Tensor:
    """Mean softmax over sizes and mirror images: float32[B, K + 1, h, w] at the resolution of the largest view / 4.

    Args:
        network: in evaluation mode.
        images: normalised float32[B, 3, H, W].
        sizes: (height, width) of each view.
        flip: also mirrored.
    """
    largest = max(sizes)
    target = (-(-largest[0] // 4), -(-largest[1] // 4))
    total, views = 0, 0
    for logits in logits_of_views(network, images, sizes, flip, target):
        total, views = total + logits.softmax(1), views + 1
    return total / views


def logits_of_views(
    network: nn.Module, images: Tensor, sizes: list[tuple[int, int]], flip: bool, target: tuple[int, int]
) -> Iterator[Tensor]:
    """Logits float32[B, K + 1, *target] of each size and, with `flip`, of its mirror image turned back.

    Args:
        network: images -> logits float32[B, K + 1, h, w].
        images: normalised float32[B, 3, H, W].
        sizes: (height, width) of each view.
        flip: also mirrored.
        target: (height, width) of what is given.
    """
    for size in sizes:
        scaled = F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)
        for mirrored in (False, True) if flip else (False,):
            logits = network(scaled.flip(3) if mirrored else scaled)
            logits = logits.flip(3) if mirrored else logits
            yield F.interpolate(logits, target, mode="bilinear", align_corners=False)
