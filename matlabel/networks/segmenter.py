"""Segmenters: the architectures of segmentation_models.pytorch on any timm backbone."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.state_dict import load_into
from matlabel.artifacts.weights import load_weights, ours, recorded_settings
from matlabel.networks.backbone import Layout, Scale, layout_of
from matlabel.networks.freezing import freeze, keep_norm, open_branches
from matlabel.networks.pretrained import fill, freezes_norm, start_of
from matlabel.settings.segmenter import DILATED, SegmenterSettings


@dataclass(frozen=True)
class Architecture:
    """An architecture of segmentation_models.pytorch and what it asks of its encoder.

    Attributes:
        model: its class there.
        arguments: what the settings make of its arguments, beside encoder and classes.
        plain: for a plain transformer, whose maps all have one stride; else for a pyramid.
    """

    model: type[nn.Module]
    arguments: Callable[[SegmenterSettings], dict[str, Any]] = lambda settings: {}
    plain: bool = False


def _dilated(settings: SegmenterSettings) -> dict[str, Any]:
    stride = 16 if settings.output_stride == "auto" else settings.output_stride
    return {"encoder_output_stride": stride, "decoder_atrous_rates": list(settings.atrous_rates)}


ARCHITECTURES = {
    "deeplabv3plus": Architecture(smp.DeepLabV3Plus, _dilated),
    "deeplabv3": Architecture(smp.DeepLabV3, _dilated),
    "unet": Architecture(smp.Unet),
    "fpn": Architecture(smp.FPN),
    "upernet": Architecture(smp.UPerNet),
    "segformer": Architecture(smp.Segformer),
    "dpt": Architecture(smp.DPT, lambda settings: {"dynamic_img_size": True, "num_classes": 0}, plain=True),
}


class SegmenterNetwork(nn.Module):
    """A model of segmentation_models.pytorch for images of any size.

    Args:
        settings: architecture, encoder, what of it is frozen.
        classes: K, without the background.

    Raises:
        UserError: the encoder is none for this architecture.
    """

    def __init__(self, settings: SegmenterSettings, classes: int):
        super().__init__()
        self.layout = encoder_layout(settings)
        self.model = ARCHITECTURES[settings.architecture].model(**model_arguments(settings, classes))
        # DPT's coarsest maps have a stride of 32, whatever the patches.
        self.stride = 32 if self.layout.blocks else int(self.model.encoder.output_stride)
        self.scale: Scale
        self.licence = ""
        self.freeze_norm = False

    @property
    def backbone(self) -> nn.Module:
        """The encoder's timm model."""
        return self.model.encoder.model

    @property
    def heads(self) -> list[nn.Module]:
        """The layers without pretrained weights: decoder and head."""
        return [self.model.decoder, self.model.segmentation_head]

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images [B, 3, H, W] -> float32 logits [B, K + 1, H, W], background first."""
        height, width = images.shape[2:]
        # Mean colour to the right and below, as training crops have it: decoders want whole cells.
        padded = F.pad(images, (0, -width % self.stride, 0, -height % self.stride))
        logits = self.model(padded.contiguous(memory_format=torch.channels_last))
        return logits[:, :, :height, :width].float()

    def train(self, mode: bool = True) -> "SegmenterNetwork":
        super().train(mode)
        if self.freeze_norm:
            keep_norm(self.backbone)
        return self


def model_arguments(settings: SegmenterSettings, classes: int) -> dict[str, Any]:
    """The arguments that build the model, as stored in config.json.

    Encoders are always timm's (`tu-` in segmentation_models.pytorch), so that a name means one network everywhere.
    """
    return {
        "encoder_name": f"tu-{settings.encoder}",
        "encoder_weights": None,
        "classes": classes + 1,
        **ARCHITECTURES[settings.architecture].arguments(settings),
    }


def config_text(settings: SegmenterSettings, classes: int) -> str:
    """config.json, from which `smp.from_pretrained` builds the model."""
    model = ARCHITECTURES[settings.architecture].model.__name__
    return json.dumps({"_model_class": model, **model_arguments(settings, classes)}, indent=2, sort_keys=True) + "\n"


def encoder_layout(settings: SegmenterSettings) -> Layout:
    """The layout of a segmenter's encoder.

    Raises:
        UserError: it is none for this architecture.
    """
    return _encoder_layout(settings.architecture, settings.encoder, settings.output_stride)


@cache
def _encoder_layout(architecture: str, encoder: str, output_stride: Any) -> Layout:
    dilated = architecture in DILATED
    try:
        layout = layout_of(encoder, output_stride)
    except UserError as error:
        raise UserError(f"segmenter.encoder: {error}") from error
    plain = ARCHITECTURES[architecture].plain
    if bool(layout.blocks) != plain:
        others = [name for name, each in ARCHITECTURES.items() if each.plain != plain]
        kind = "gives all its maps at one stride" if layout.blocks else "is no plain transformer"
        raise UserError(
            f"segmenter.encoder: {encoder} {kind}, which {architecture} cannot take; set segmenter.architecture to "
            f"{' or '.join(others)}"
        )
    if plain and layout.reductions[-1] not in (8, 16, 32):
        raise UserError(
            f"segmenter.encoder: {encoder} has patches of {layout.reductions[-1]} pixels, and dpt takes 8, 16 or 32"
        )
    if dilated and layout.reductions[-1] > 16:
        raise UserError(
            f"segmenter.encoder: {encoder} cannot be dilated, which {architecture} asks for; set "
            "segmenter.architecture to unet, fpn, upernet or segformer"
        )
    return layout


def build_segmenter(settings: SegmenterSettings, weights: str, classes: int) -> SegmenterNetwork:
    """The network at the start of a training, its encoder's weights loaded.

    Args:
        settings: of the training.
        weights: as segmenter.weights, or for `cam` the classifier's file.
        classes: K.

    Raises:
        UserError: the weights cannot be had or do not fit, or the encoder not the architecture.
    """
    network = SegmenterNetwork(settings, classes)
    open_branches(network.backbone)
    start = start_of(settings.encoder, weights, "segmenter")
    fill(network.backbone, settings.encoder, start)
    network.scale, network.licence = start.scale, start.licence
    network.freeze_norm = freezes_norm(weights, settings)
    freeze(network.backbone, network.layout.modules, settings.frozen_stages, network.freeze_norm)
    return network


def load_segmenter(path: str | Path, device: str) -> tuple[SegmenterNetwork, list[str]]:
    """Read model.safetensors of the stage segmenter: the network in evaluation mode, and its class names.

    Raises:
        UserError: not such a file.
    """
    weights = load_weights(path)
    classes = ours(path, weights, "segmenter")
    settings = recorded_settings(path, weights, SegmenterSettings)
    scale = Scale.of(weights.metadata, path)
    network = SegmenterNetwork(settings, len(classes))
    load_into(network.model, weights.tensors, str(path))
    network.scale, network.licence = scale, weights.metadata.get("licence", "")
    return network.eval().requires_grad_(False).to(device), classes


@torch.inference_mode()
def probabilities(network: SegmenterNetwork, images: Tensor, sizes: list[tuple[int, int]], flip: bool) -> Tensor:
    """Mean softmax over sizes and mirror images: float32[B, K + 1, h, w] at the resolution of the largest view / 4.

    Args:
        network: in evaluation mode.
        images: uint8[B, 3, H, W].
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
    network: SegmenterNetwork, images: Tensor, sizes: list[tuple[int, int]], flip: bool, target: tuple[int, int]
) -> Iterator[Tensor]:
    """Logits float32[B, K + 1, *target] of each size and, with `flip`, of its mirror image turned back.

    Args:
        network: in evaluation mode.
        images: uint8[B, 3, H, W].
        sizes: (height, width) of each view.
        flip: also mirrored.
        target: (height, width) of what is given.
    """
    normalised = network.scale(images)
    for size in sizes:
        scaled = F.interpolate(normalised, size, mode="bilinear", align_corners=False, antialias=True)
        for mirrored in (False, True) if flip else (False,):
            logits = network(scaled.flip(3) if mirrored else scaled)
            # Brought down before it is turned back: at full size it is the largest thing in memory.
            logits = F.interpolate(logits, target, mode="bilinear", align_corners=False)
            yield logits.flip(3) if mirrored else logits
