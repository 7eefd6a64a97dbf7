"""The D2CAM training model: one forward pass gives every loss term of a batch."""

import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matlabel.cam.centres import Centres
from matlabel.cam.check import Look
from matlabel.cam.losses import LOSSES, Step
from matlabel.cam.losses.consistency import follow, inside, random_views, teach, warp
from matlabel.cam.paste import choose_pastes
from matlabel.cam.schedule import Schedule
from matlabel.networks.classifier import CamNetwork, Output, relative_maps
from matlabel.networks.confidence import confident_regions
from matlabel.settings.cam import CamSettings
from matlabel.training.loop import head_and_backbone


class D2Cam(nn.Module):
    """Classification plus the terms of `LOSSES`, each with its weight; a term of weight 0 costs nothing.

    Args:
        network: the classifier.
        settings: weights of the terms and what they need.
        alone: bool[K], classes that have images of their own (see `Centres`).
        seed: of the views that consistency draws and of what is pasted.
        schedule: when the terms begin, and how much of their weight they have.
        watch: the network -> what a look at it finds; None: nobody looks.
        speaks: whether this process says what a look has changed; of several, one does.
    """

    def __init__(
        self,
        network: CamNetwork,
        settings: CamSettings,
        alone: Tensor,
        seed: int,
        schedule: Schedule,
        watch: Callable[[CamNetwork], Look] | None = None,
        speaks: bool = True,
    ):
        super().__init__()
        self.network = network
        self.settings = settings
        self.seed = seed
        self.schedule = schedule
        self.watch, self.speaks = watch, speaks
        self.centres = None
        if settings.embeds:
            self.centres = Centres(
                len(alone),
                settings.background_centres,
                settings.queue,
                settings.embedding_size,
                settings.centre_momentum,
                alone,
            )
        self.teacher = network.frozen_copy() if settings.teaches else None

    def parameter_groups(self, settings: CamSettings) -> list[dict]:
        """Parameters of backbone and heads, with their learning rates."""
        return head_and_backbone(self.network.backbone, self.network.heads, settings)

    def forward(self, batch: dict[str, Tensor], step: int, steps: int) -> dict[str, Tensor]:
        """Loss terms of {"image": uint8[B, 3, H, W], "tags": float32[B, K]} in step `step` of `steps`."""
        settings, tags = self.settings, batch["tags"]
        possible = tags
        images = self.network.backbone.scale(batch["image"])
        share = self.schedule.share(step, steps) if settings.refines else 0.0
        view = teacher = None
        if share and self.teacher is not None:
            generator = torch.Generator().manual_seed(self.seed * 15_485_863 + step)
            view = random_views(len(images), generator) if settings.consistency else None
            # Before the student: what its forward pass keeps would leave the teacher's no memory that was used before.
            teacher = teach(self.teacher, images, settings.teacher_scale, self.network.backbone.stride)
            if settings.paste:
                relative = relative_maps(teacher, tags)
                pastes = choose_pastes(relative, tags, images.shape[2:], share * settings.paste, generator)
                images, teacher = pastes.onto(images), pastes.onto_maps(relative)
                tags, possible = pastes.united(tags), pastes.possible(tags)
            images = images if view is None else warp(images, view)
        output = self.network(images)
        terms = {"classification": F.multilabel_soft_margin_loss(output.logits, tags)}
        if not share:
            return terms
        # Cosines and averages in float32: half precision would round centres and contrasts away.
        with torch.autocast(images.device.type, enabled=False):
            refining = self._terms(output, teacher, view, tags, possible)
        return {**terms, **{name: share * term for name, term in refining.items()}}

    def _terms(
        self, output: Output, teacher: Tensor | None, view: Tensor | None, tags: Tensor, possible: Tensor
    ) -> dict[str, Tensor]:
        relative, regions = relative_maps(output.maps, tags), None
        if self.centres is not None and output.embedding is not None:
            valid = None if view is None else inside(view, *relative.shape[2:], relative.device)
            regions = confident_regions(relative.detach(), output.embedding, tags, valid)
        target = None if view is None or teacher is None else relative_maps(teacher, tags)
        step = Step(output, relative, tags, self.settings, regions, self.centres, target, view)
        weights = {name: getattr(self.settings, name) for name in LOSSES}
        terms = {name: weight * LOSSES[name](step) for name, weight in weights.items() if weight}
        if self.centres is not None and regions is not None:
            # What leads a centre must be sure: a pasted region may be of another class of its source.
            self.centres.update(regions, possible)
        return terms

    def after_step(self, done: int, steps: int) -> None:
        """Update the teacher after `done` of `steps` steps, and check the classifier if that is due."""
        if self.teacher is not None:
            follow(self.teacher, self.network, done - 1, self.settings.teacher_momentum)
        if self.watch is not None and self.schedule.is_due(done, steps):
            said = self.schedule.take(self.watch(self.network), done, steps)
            if said and self.speaks and self.settings.refines:
                print(f"cam: after {done} steps {said}", file=sys.stderr, flush=True)

    def columns(self) -> dict[str, float | None]:
        """Extra columns of history.csv: the last check of the classifier, and the weight factor of the terms."""
        last = self.schedule.last
        look = {f"look_{name}": getattr(last, name) if last else None for name in Look.__annotations__}
        return {**look, **({"bound": self.schedule.bound} if self.settings.refines else {})}
