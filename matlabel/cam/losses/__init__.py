"""The loss terms of D2CAM beside the classification, one file a term; `LOSSES` names them.

Another one is a file of tensors in, scalar out; a line in `LOSSES`; and its weight in `settings/cam.py` under the same
name. Where the weight is 0 the term is not computed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from matlabel.cam.centres import Centres
from matlabel.cam.losses.category import category_loss
from matlabel.cam.losses.consistency import consistency_loss
from matlabel.cam.losses.exclusivity import exclusivity_loss
from matlabel.cam.losses.foreground import foreground_loss
from matlabel.networks.classifier import Output
from matlabel.networks.confidence import Regions
from matlabel.settings.cam import CamSettings


@dataclass(frozen=True)
class Step:
    """The inputs of a loss term in one training step.

    Attributes:
        output: the network's, with gradient; maps S, float32[B, K, h, w].
        relative: M of S, float32[B, K, h, w] in [0, 1], with gradient.
        tags: float32[B, K], 1 for the classes of an image, pasted ones included.
        settings: the stage's.
        regions: what the images are confident of; None without an embedding (`CamSettings.embeds`).
        centres: of classes and background, without gradient, as the steps before left them; None likewise.
        target: M of the teacher in the plain view, without gradient; None without consistency.
        view: float32[B, 2, 3], the transform of that view which `output` is of; None likewise.
    """

    output: Output
    relative: Tensor
    tags: Tensor
    settings: CamSettings
    regions: Regions | None
    centres: Centres | None
    target: Tensor | None
    view: Tensor | None


LOSSES: dict[str, Callable[[Step], Tensor]] = {
    "category": lambda step: category_loss(step.regions, step.centres, step.settings.temperature),
    "foreground": lambda step: foreground_loss(step.regions, step.centres, step.settings.temperature),
    "consistency": lambda step: consistency_loss(step.relative, step.target, step.view, step.tags),
    "exclusivity": lambda step: exclusivity_loss(step.output.maps, step.relative, step.tags),
}
