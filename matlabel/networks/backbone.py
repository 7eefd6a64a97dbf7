"""Backbones: any timm model as four feature maps, the last at a given output stride."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matlabel.artifacts.errors import UserError, cut
from matlabel.networks.freezing import freeze, keep_norm, open_branches

STAGES = 4
OutputStride = Literal["auto", 8, 16, 32]
# Of an output stride "auto", where a backbone can be dilated to it.
_STRIDE = 16
# timm has them take (x − 127.5) / 127.5; what they were trained on is (x − 127) / 128.
_LITE = "tf_efficientnet_lite"
_LITE_SCALE = ((127 / 255,) * 3, (128 / 255,) * 3)


@dataclass(frozen=True)
class Scale:
    """Input normalisation of a backbone: (x / 255 − mean) / std, three channels each."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def of(cls, metadata: Mapping[str, str], path: str | Path) -> "Scale":
        """The normalisation in a weights file's metadata.

        Raises:
            UserError: it says nothing of the kind.
        """
        try:
            mean, std = (tuple(map(float, json.loads(metadata.get(name, "")))) for name in ("mean", "std"))
        except (ValueError, TypeError, RecursionError) as error:
            raise UserError(f"{path}: its mean or std are not those that a training writes") from error
        if len(mean) != 3 or len(std) != 3 or not all(map(isfinite, mean + std)) or min(std) <= 0:
            raise UserError(f"{path}: its mean or std are not those that a training writes")
        return cls(mean, std)

    @property
    def metadata(self) -> dict[str, str]:
        """The normalisation as metadata of a weights file."""
        return {"mean": json.dumps(self.mean), "std": json.dumps(self.std)}

    def __call__(self, images: Tensor) -> Tensor:
        """uint8[B, 3, H, W] -> float32, normalised."""
        mean, std = (torch.tensor(values, device=images.device).view(3, 1, 1) for values in (self.mean, self.std))
        return (images.float() / 255 - mean) / std


def scale_of(name: str, settings: Any) -> Scale:
    """The input normalisation of a backbone, by timm's `pretrained_cfg` of its weights."""
    if name.startswith(_LITE):
        return Scale(*_LITE_SCALE)
    return Scale(tuple(map(float, settings.mean)), tuple(map(float, settings.std)))


@dataclass(frozen=True)
class Layout:
    """How timm is asked for a backbone's four feature maps.

    Attributes:
        arguments: of `timm.create_model`.
        modules: the modules that the maps come out of, as timm calls them.
        channels: of the maps.
        reductions: input pixels to a pixel of each.
        blocks: of a plain transformer, whose maps all have the stride of its patches, the blocks they are read after;
            empty of a pyramid.
    """

    arguments: dict[str, Any]
    modules: tuple[str, ...]
    channels: tuple[int, ...]
    reductions: tuple[int, ...]
    blocks: tuple[int, ...] = ()


class Backbone(nn.Module):
    """A backbone without its classification head.

    Args:
        name: one of timm's, without a tag.
        output_stride: 8, 16 or 32 input pixels to a pixel of the last map; strides that are taken out are made up for
            by dilation (Chen et al., DeepLab). auto: 16, or where a backbone cannot be dilated its own.
        freeze_norm: BatchNorm keeps its statistics and its affine part. Other norms have no statistics, and are
            trained like the layers around them.
        frozen_stages: how many of stem, stage 1, stage 2, stage 3 are not trained.

    Raises:
        UserError: timm has no such backbone, or not with this stride or for pictures of any size.
    """

    def __init__(
        self, name: str, output_stride: OutputStride = "auto", freeze_norm: bool = True, frozen_stages: int = 0
    ):
        super().__init__()
        self.layout = layout_of(name, output_stride)
        self.net = timm.create_model(name, **self.layout.arguments)
        open_branches(self.net)
        self.channels = self.layout.channels[-1]
        self.scale = scale_of(name, timm.get_pretrained_cfg(name))
        # Of the weights, where they are not timm's default ones: see `networks.pretrained`.
        self.licence = ""
        self.freeze_norm = freeze_norm
        freeze(self.net, self.layout.modules, frozen_stages, freeze_norm)

    @property
    def stride(self) -> int:
        """Input pixels to a pixel of the last map."""
        return self.layout.reductions[-1]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Normalised images [B, 3, H, W] -> maps of the four stages, the last at the output stride."""
        # An eighth to a fifth faster on a CPU; all that follows keeps this layout.
        images = images.contiguous(memory_format=torch.channels_last)
        return maps_of(self.net, self.layout, images)

    def train(self, mode: bool = True) -> "Backbone":
        super().train(mode)
        if self.freeze_norm:
            keep_norm(self.net)
        return self


def maps_of(net: nn.Module, layout: Layout, images: Tensor) -> list[Tensor]:
    """The four maps [B, D, h, w] of normalised images [B, 3, H, W]."""
    if layout.blocks:
        # Whole patches, so that the maps cover the picture and nothing else.
        patch = layout.reductions[-1]
        size = [-(-side // patch) * patch for side in images.shape[2:]]
        if size != list(images.shape[2:]):
            images = F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)
        return net.forward_intermediates(images, indices=list(layout.blocks), norm=True, intermediates_only=True)
    maps = net(images)[-STAGES:]
    return [each.permute(0, 3, 1, 2) for each in maps] if getattr(net, "output_fmt", "NCHW") == "NHWC" else maps


@cache
def layout_of(name: str, output_stride: OutputStride) -> Layout:
    """Find out how a backbone gives four feature maps, without loading its weights.

    Raises:
        UserError: see `Backbone`.
    """
    if not timm.is_model(name) or "." in name:
        raise UserError(_unknown(name))
    wanted = _STRIDE if output_stride == "auto" else output_stride
    arguments = {"features_only": True, "output_stride": wanted}
    net = _probe(name, arguments)
    if net is None:
        arguments = {"features_only": True}
        net = _probe(name, arguments)
    if net is None:
        raise UserError(f"{name}: timm has it without maps of features (features_only); choose another backbone")
    info = net.feature_info
    found = (info.reduction(), info.module_name(), info.channels())
    reductions, modules, channels = (tuple(each)[-STAGES:] for each in found)
    if len(set(reductions)) == 1:
        layout = _plain_transformer(name)
    elif len(reductions) < STAGES:
        raise UserError(f"{name}: gives {len(reductions)} maps of features, not {STAGES}; choose another backbone")
    else:
        layout = Layout(arguments, modules, channels, reductions)
    stride = layout.reductions[-1]
    if output_stride not in ("auto", stride):
        raise UserError(
            f"{name}: its last map has a stride of {stride}, and it cannot be dilated to {output_stride}; "
            f"set output_stride to auto"
        )
    _try(name, layout)
    return layout


def _plain_transformer(name: str) -> Layout:
    arguments = {"dynamic_img_size": True, "num_classes": 0}
    whole = _probe(name, arguments)
    if whole is None or not hasattr(whole, "forward_intermediates"):
        raise _one_size(name)
    blocks = whole.feature_info
    count = len(blocks)
    chosen = tuple(count * (stage + 1) // STAGES - 1 for stage in range(STAGES))
    taken = [blocks[index] for index in chosen]
    return Layout(
        arguments,
        *(tuple(each[key] for each in taken) for key in ("module", "num_chs", "reduction")),
        blocks=chosen,
    )


def _probe(name: str, arguments: dict[str, Any]) -> nn.Module | None:
    """The network, on the meta device if it can be; None where timm cannot build it with these arguments."""
    try:
        with torch.device("meta"):
            return timm.create_model(name, **arguments)
    except (TypeError, AssertionError, ValueError, AttributeError):
        return None
    except (RuntimeError, NotImplementedError):
        # Some look at a number while they are made.
        try:
            return timm.create_model(name, **arguments)
        except (TypeError, AssertionError, ValueError, AttributeError, RuntimeError, NotImplementedError):
            return None


def _try(name: str, layout: Layout) -> None:
    """Refuse backbones that accept only one input size.

    Raises:
        UserError: so.
    """
    net = _probe(name, layout.arguments)
    try:
        for height, width in ((96, 160), (64, 64)):
            images = torch.zeros(1, 3, height, width, device=next(net.parameters()).device)
            with torch.no_grad():
                maps = maps_of(net.eval(), layout, images)
            for found, channels, stride in zip(maps, layout.channels, layout.reductions, strict=True):
                fits = all(
                    abs(side / stride - got) < 1 for side, got in zip((height, width), found.shape[2:], strict=True)
                )
                if found.shape[1] != channels or not fits:
                    raise _one_size(name)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError, ValueError) as error:
        raise _one_size(name) from error


def _one_size(name: str) -> UserError:
    return UserError(f"{name}: does not read pictures of any size; choose another backbone")


def _unknown(name: str) -> str:
    model, dot, _ = name.partition(".")
    if dot and timm.is_model(model):
        return f"{cut(name)}: a backbone is named without the tag of its weights: {model}; the tag belongs in weights"
    close = get_close_matches(name, timm.list_models(), 3)
    meant = f" (did you mean {', '.join(close)}?)" if close else ""
    return f"{cut(name)}: timm has no such backbone{meant}"
