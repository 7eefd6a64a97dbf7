"""A trained classifier from its weights.pt."""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from torch import Tensor

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.weights import load_weights
from matlabel.backbones import Trunk
from matlabel.classifier.axes import covariance_of
from matlabel.classifier.network import CamNetwork
from matlabel.settings.cam import CamSettings


@dataclass
class Classifier:
    """A network ready to read, and the centres that its embedding was trained with.

    Attributes:
        network: in evaluation mode, on the device asked for.
        classes: class names, in the order of its maps.
        centres: float32[K, d], or None without an embedding.
        known: bool[K], False for classes whose centre was never seen.
        background: float32[n, d] background centres, n ≥ 0.
        covariance: float64[d, d] of the pixels of the embedding, on the CPU; None without an embedding, and of
            classifiers trained before it was kept.
        parts_classes: whether the embedding was trained to tell classes apart (the term category), and not only
            objects from their background.
        plain: why a plain classifier was taken in place of the one that was asked for; empty where it was not.
    """

    network: CamNetwork
    classes: list[str]
    centres: Tensor | None
    known: Tensor | None
    background: Tensor | None
    covariance: Tensor | None = None
    parts_classes: bool = True
    plain: str = ""


def load_classifier(path: str | Path, device: str) -> Classifier:
    """Read weights.pt of the stage cam.

    Raises:
        UserError: not such a file, or from another version of the network.
    """
    content = load_weights(path)
    if not {"classes", "settings", "network", "centres"} <= content.keys():
        raise UserError(f"{path}: not the weights of a CAM classifier (weights.pt of the stage cam)")
    try:
        settings = CamSettings.from_keyed(json.loads(content["settings"]))
    except ValidationError as error:
        raise UserError(f"{path}: made with settings that this version does not know: {error}") from error
    trunk = Trunk(settings.backbone, settings.output_stride)
    network = CamNetwork(trunk, len(content["classes"]), *settings.head_sizes)
    try:
        network.load_state_dict(content["network"])
    except RuntimeError as error:
        raise UserError(f"{path}: the weights do not fit this version's network: {error}") from error
    network.eval().requires_grad_(False).to(device)
    centres = {name: value.to(device) for name, value in content["centres"].items()}
    if not centres:
        return Classifier(network, content["classes"], None, None, None, plain=content.get("plain", ""))
    background = centres["background"][centres["background_seen"] > 0]
    covariance = covariance_of(centres["moment"]) if "moment" in centres and centres["averaged"] > 0 else None
    return Classifier(
        network,
        content["classes"],
        centres["classes"],
        centres["seen"] > 0,
        background,
        covariance,
        parts_classes=settings.category > 0,
    )
