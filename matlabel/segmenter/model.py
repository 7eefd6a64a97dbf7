"""Training model of the segmenter: cross-entropy against hard, weighted or soft labels."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matlabel.artifacts.label_image import VOID
from matlabel.networks.segmenter import SegmenterNetwork
from matlabel.settings.segmenter import SegmenterSettings
from matlabel.training.loop import head_and_backbone


class Segmenter(nn.Module):
    """Cross-entropy of the logits of a whole crop, ignoring void."""

    def __init__(self, network: SegmenterNetwork):
        super().__init__()
        self.network = network

    def parameter_groups(self, settings: SegmenterSettings) -> list[dict]:
        """Parameters of backbone and head, with their learning rates."""
        return head_and_backbone(self.network.backbone, self.network.heads, settings)

    def forward(self, batch: dict[str, Tensor], step: int, steps: int) -> dict[str, Tensor]:
        """{"segmentation": loss} of {"image": uint8[B, 3, H, W], "labels": uint8[B, H, W]} and, by the target,
        "margin" uint8[B, H, W] or "alphas" uint8[B, K + 1, H, W]."""
        logits = self.network(self.network.scale(batch["image"]))
        known = (batch["labels"] != VOID).float()
        if "alphas" in batch:
            # Cross-entropy against a distribution: −Σ_k α_k log p_k.
            loss = -(batch["alphas"].float() / 255 * logits.log_softmax(1)).sum(1)
        else:
            loss = F.cross_entropy(logits, batch["labels"].long(), ignore_index=VOID, reduction="none")
        if "margin" in batch:
            known = known * batch["margin"].float() / 255
        return {"segmentation": (loss * known).sum() / torch.clamp(known.sum(), min=1)}
