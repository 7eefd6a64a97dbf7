"""The D2CAM training model: one forward pass gives every loss term of a batch."""

import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matlabel.cam.centres import Centres
from matlabel.cam.check import Look
from matlabel.cam.losses.affinity import affinity_loss, sure_regions, walked_maps
from matlabel.cam.losses.category import category_loss
from matlabel.cam.losses.consistency import consistency_loss, follow, inside, random_views, teach, warp
from matlabel.cam.losses.exclusivity import exclusivity_loss
from matlabel.cam.losses.foreground import foreground_loss
from matlabel.cam.paste import choose_pastes
from matlabel.cam.schedule import Schedule
from matlabel.networks.classifier import CamNetwork, Output, relative_maps
from matlabel.networks.confidence import confident_regions
from matlabel.settings.cam import CamSettings
from matlabel.training.loop import head_and_trunk


class D2Cam(nn.Module):
    """Classification plus the five terms, each with its weight; a term of weight 0 costs nothing.

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
        """Trunk and heads, with their learning rates."""
        return head_and_trunk(self.network.trunk, self.network.heads, settings)

    def forward(self, batch: dict[str, Tensor], step: int, steps: int) -> dict[str, Tensor]:
        """Loss terms of {"image": uint8[B, 3, H, W], "tags": float32[B, K]} in step `step` of `steps`."""
        settings, tags = self.settings, batch["tags"]
        possible = tags
        images = self.network.trunk.scale(batch["image"])
        share = self.schedule.share(step, steps) if settings.refines else 0.0
        view = teacher = None
        if share and self.teacher is not None:
            generator = torch.Generator().manual_seed(self.seed * 15_485_863 + step)
            view = random_views(len(images), generator) if settings.consistency else None
            # Before the student: what its forward pass keeps would leave the teacher's no memory that was used before.
            teacher = teach(self.teacher, images, settings.teacher_scale, self.network.trunk.stride)
            if settings.paste:
                relative = relative_maps(teacher.maps, tags)
                pastes = choose_pastes(relative, tags, images.shape[2:], share * settings.paste, generator)
                images, teacher = pastes.onto(images), pastes.onto_output(teacher, tags)
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
        self, output: Output, teacher: Output | None, view: Tensor | None, tags: Tensor, possible: Tensor
    ) -> dict[str, Tensor]:
        settings, terms = self.settings, {}
        relative = relative_maps(output.maps, tags)
        if self.centres is not None and output.embedding is not None:
            valid = None if view is None else inside(view, *relative.shape[2:], relative.device)
            regions = confident_regions(relative.detach(), output.embedding, tags, valid)
            if settings.category:
                rivals = tags.bool() if settings.category_against == "present" else None
                terms["category"] = settings.category * category_loss(
                    regions, self.centres, settings.temperature, rivals
                )
            if settings.foreground:
                terms["foreground"] = settings.foreground * foreground_loss(regions, self.centres, settings.temperature)
            # What leads a centre must be sure: a pasted region may be of another class of its source.
            self.centres.update(regions, possible)
            self.centres.watch(output.embedding, valid)
        if view is not None and teacher is not None:
            target = relative_maps(teacher.maps, tags)
            terms["consistency"] = settings.consistency * consistency_loss(relative, target, view, tags)
        if settings.exclusivity:
            terms["exclusivity"] = settings.exclusivity * exclusivity_loss(output.maps, relative, tags)
        if settings.affinity:
            terms["affinity"] = settings.affinity * self._affinity(output, teacher, view, tags)
        return terms

    def _affinity(self, output: Output, teacher: Output | None, view: Tensor | None, tags: Tensor) -> Tensor:
        # The student's features, as they are read later, against what the teacher is sure of.
        feature = self.network.affinity(output.features)
        with torch.no_grad():
            known = output if teacher is None else teacher
            planes = walked_maps(relative_maps(known.maps, tags), known.features)
            planes = F.interpolate(planes, feature.shape[2:], mode="bilinear", align_corners=False)
            valid = None
            if view is not None:
                planes, valid = warp(planes, view), inside(view, *planes.shape[2:], planes.device)
            trimap = sure_regions(planes, valid)
        return affinity_loss(feature, trimap)

    def after_step(self, done: int, steps: int) -> None:
        """Let the teacher follow after `done` of `steps` steps, and look at the classifier if that is due."""
        if self.teacher is not None:
            follow(self.teacher, self.network, done - 1, self.settings.teacher_momentum)
        if self.watch is not None and self.schedule.is_due(done, steps):
            said = self.schedule.take(self.watch(self.network), done, steps)
            if said and self.speaks and self.settings.refines:
                print(f"cam: after {done} steps {said}", file=sys.stderr, flush=True)

    def columns(self) -> dict[str, float | None]:
        """What history.csv says of the schedule: the last look, and the share of their weight that the terms have."""
        last = self.schedule.last
        look = {f"look_{name}": getattr(last, name) if last else None for name in Look.__annotations__}
        return {**look, **({"bound": self.schedule.bound} if self.settings.refines else {})}
