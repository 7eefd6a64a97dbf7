"""Loading a trained classifier from its model.safetensors."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from matlabel.artifacts.errors import UserError, cut
from matlabel.artifacts.state_dict import load_into
from matlabel.artifacts.weights import load_weights, ours, recorded_settings
from matlabel.networks.backbone import Backbone, Scale
from matlabel.networks.classifier import CamNetwork
from matlabel.settings.cam import CamSettings


@dataclass
class Classifier:
    """A network in evaluation mode, and the centres that its embedding was trained with.

    Attributes:
        network: in evaluation mode, on the device asked for.
        classes: class names, in the order of its maps.
        centres: float32[K, d], or None without an embedding.
        known: bool[K], False for classes whose centre was never seen.
        background: float32[n, d] background centres, n ≥ 0.
        parts_classes: whether the embedding was trained to tell classes apart (the term category), and not only
            objects from their background.
        plain: why a plain classifier was taken in place of the one that was asked for; empty where it was not.
    """

    network: CamNetwork
    classes: list[str]
    centres: Tensor | None
    known: Tensor | None
    background: Tensor | None
    parts_classes: bool = True
    plain: str = ""


def load_classifier(path: str | Path, device: str) -> Classifier:
    """Read model.safetensors of the stage cam.

    Raises:
        UserError: not such a file, or from another version of the network.
    """
    weights = load_weights(path)
    classes = ours(path, weights, "cam")
    settings = recorded_settings(path, weights, CamSettings)
    scale = Scale.of(weights.metadata, path)
    if odd := next((name for name in weights.tensors if not name.startswith(("network.", "centres."))), None):
        raise UserError(f"{path}: holds {cut(odd)}, which no training of cam writes")
    backbone = Backbone(settings.backbone, settings.output_stride)
    network = CamNetwork(backbone, len(classes), settings.embedding_channels)
    load_into(network, _part(weights.tensors, "network"), str(path))
    backbone.scale, backbone.licence = scale, weights.metadata.get("licence", "")
    network.eval().requires_grad_(False).to(device)
    centres = {
        name: value.to(device) for name, value in _centres(path, weights.tensors, settings, len(classes)).items()
    }
    if not centres:
        return Classifier(network, classes, None, None, None, plain=weights.metadata.get("plain", ""))
    background = centres["background"][centres["background_seen"] > 0]
    return Classifier(
        network,
        classes,
        centres["classes"],
        centres["seen"] > 0,
        background,
        parts_classes=settings.category > 0,
    )


def check_classifier(path: str | Path, classes: list[str]) -> None:
    """Check that a classifier can be taken over (cam.weights_from) for a data set.

    Raises:
        UserError: it is none, or knows other classes than `classes`.
    """
    known = load_classifier(path, "cpu").classes
    if known != classes:
        raise UserError(
            f"cam.weights_from: {path} knows the classes {', '.join(known)}, this data set has {', '.join(classes)}"
        )


def _part(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}


def _centres(path: str | Path, tensors: dict[str, Tensor], settings: CamSettings, classes: int) -> dict[str, Tensor]:
    """The centres in a weights file, shapes and dtypes checked; {} without an embedding."""
    if not settings.embeds:
        return {}
    centres = _part(tensors, "centres")
    size, count = settings.embedding_size, settings.background_centres
    shapes = {
        "classes": (classes, size),
        "seen": (classes,),
        "background": (count, size),
        "background_seen": (count,),
    }
    for name, shape in shapes.items():
        found = centres.get(name)
        if found is None or tuple(found.shape) != shape:
            raise UserError(f"{path}: centres.{name} is no tensor of the shape {shape}, as a training writes it")
        if found.is_complex() or not bool(torch.isfinite(found).all()):
            raise UserError(f"{path}: centres.{name} holds NaN or infinity; the training that wrote it went wrong")
    return {name: centres[name] for name in shapes}
