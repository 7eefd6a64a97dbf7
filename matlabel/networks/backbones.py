"""Feature extractors: torchvision ResNets with an output stride, and where their weights come from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
import torchvision
from torch import Tensor, nn

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.weights import load_into, load_weights
from matlabel.settings.training import TrainingSettings

# Of the maps of layer1 to layer4.
CHANNELS = {
    "resnet18": (64, 128, 256, 512),
    "resnet34": (64, 128, 256, 512),
    "resnet50": (256, 512, 1024, 2048),
    "resnet101": (256, 512, 1024, 2048),
}
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class Trunk(nn.Module):
    """A ResNet without its head.

    Args:
        name: resnet18, resnet34, resnet50 or resnet101.
        output_stride: 8, 16 or 32 input pixels to a pixel of the last map; strides that are taken out are made up for
            by dilation (Chen et al., DeepLab).
        freeze_norm: BatchNorm keeps its statistics and its affine part.
        frozen_stages: how many of stem, layer1, layer2, layer3 are not trained.
    """

    def __init__(self, name: str, output_stride: int = 16, freeze_norm: bool = True, frozen_stages: int = 0):
        super().__init__()
        net = torchvision.models.get_model(name, weights=None)
        # Registered under torchvision's names, so that its state dicts fit as they are.
        self.conv1, self.bn1, self.relu, self.maxpool = net.conv1, net.bn1, net.relu, net.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = net.layer1, net.layer2, net.layer3, net.layer4
        self.layer_channels = CHANNELS[name]
        self.channels = self.layer_channels[-1]
        self.freeze_norm = freeze_norm
        dilation = 1
        for layer, stride in ((self.layer3, 16), (self.layer4, 32)):
            if output_stride < stride:
                _dilate(layer, before=dilation, after=2 * dilation)
                dilation *= 2
        frozen = [[self.conv1, self.bn1], [self.layer1], [self.layer2], [self.layer3]][:frozen_stages]
        for module in (module for stage in frozen for module in stage):
            module.requires_grad_(False)
        if freeze_norm:
            for module in self._norms():
                module.requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Normalised images [B, 3, H, W] -> maps of layer1 to layer4, the last at the output stride."""
        # An eighth to a fifth faster on a CPU; all that follows keeps this layout.
        images = images.contiguous(memory_format=torch.channels_last)
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        maps = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            maps.append(x)
        return maps

    def train(self, mode: bool = True) -> "Trunk":
        super().train(mode)
        if self.freeze_norm:
            for module in self._norms():
                module.eval()
        return self

    def _norms(self) -> list[nn.BatchNorm2d]:
        return [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]


def build_trunk(name: str, weights: str, settings: TrainingSettings, stage: str) -> Trunk:
    """The trunk that a training starts from, weights loaded.

    Args:
        name: of the ResNet.
        weights: imagenet, none, or a file: a plain state dict, or weights.pt of the stage cam.
        settings: output stride, norm, frozen stages.
        stage: for messages.

    Raises:
        UserError: the weights cannot be had or do not fit.
    """
    given = weights != "none"
    freeze = given if settings.norm == "auto" else settings.norm == "frozen"
    trunk = Trunk(name, settings.output_stride, freeze, settings.frozen_stages)
    if weights == "imagenet":
        _load(trunk, _download(name, stage), f"{stage}.weights: imagenet")
    elif given:
        _load(trunk, load_weights(weights), weights)
    return trunk


def fetch(names: list[str]) -> Path:
    """Download ImageNet weights to where later trainings look for them, which then need no network.

    Args:
        names: of ResNets.

    Returns:
        the folder that holds them: torch's cache, below TORCH_HOME where that is set.

    Raises:
        UserError: a name that is none, or no network.
    """
    for name in names:
        if name not in CHANNELS:
            raise UserError(f"{name}: no backbone; one of {', '.join(CHANNELS)}")
        _download(name, "cam")
    return _cache()


def normalise(images: Tensor) -> Tensor:
    """uint8[B, 3, H, W] -> float32 with ImageNet's mean and deviation taken out."""
    mean = torch.tensor(_MEAN, device=images.device).view(3, 1, 1)
    std = torch.tensor(_STD, device=images.device).view(3, 1, 1)
    return (images.float() / 255 - mean) / std


def _dilate(layer: nn.Module, before: int, after: int) -> None:
    for module in layer.modules():
        if isinstance(module, nn.Conv2d):
            # The convolution that used to step over pixels still sees its input at the former spacing.
            spacing = before if module.stride == (2, 2) else after
            module.stride = (1, 1)
            if module.kernel_size == (3, 3):
                module.dilation = module.padding = (spacing, spacing)


def check_trunk(path: str | Path, name: str, where: str) -> None:
    """Weights can start a trunk.

    Args:
        path: a plain state dict, or weights.pt of the stage cam.
        name: of the ResNet.
        where: start of the message.

    Raises:
        UserError: they cannot.
    """
    _load(Trunk(name), load_weights(path), f"{where}: {path}")


def _load(trunk: Trunk, state: dict, where: str) -> None:
    own = "network" in state
    for name in ("network", "state_dict"):
        state = state.get(name, state)
        if not isinstance(state, Mapping):
            raise UserError(f"{where}: {name} is a {type(state).__name__}, not a dictionary of tensors")
    if own:
        state = {_cut(name, "trunk."): value for name, value in state.items() if str(name).startswith("trunk.")}
    tensors = {_cut(name, "module."): value for name, value in state.items() if isinstance(value, Tensor)}
    # Of the classification that these were trained for.
    load_into(trunk, {name: value for name, value in tensors.items() if not name.startswith("fc.")}, where)


def _cut(name: Any, prefix: str) -> str:
    return str(name).removeprefix(prefix)


def _download(name: str, stage: str) -> dict:
    weights = torchvision.models.get_model_weights(name).DEFAULT
    try:
        return weights.get_state_dict(progress=False, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise UserError(
            f"{stage}.weights: imagenet could not be downloaded ({error}). Without a network, put "
            f"{Path(weights.url).name} into {_cache()}, or give the path of a state_dict as {stage}.weights, or none"
        ) from error


def _cache() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"
