"""Training the classifier: hold out tags, train, and choose between it and a plain one."""

import csv
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from matlabel.artifacts.digest import canonical
from matlabel.cam.check import (
    Look,
    average_precision,
    look_at,
    mean_average_precision,
    probabilities,
    relative_loss,
    shuffled_average_precision,
    tells,
)
from matlabel.cam.choice import against_terms
from matlabel.cam.folds import FOLDS, cross_validated
from matlabel.cam.held_out import SMALL, folds
from matlabel.cam.model import D2Cam
from matlabel.cam.samples import TaggedImages
from matlabel.cam.schedule import Schedule
from matlabel.cam.whole_images import WholeImages, whole_maps
from matlabel.networks.classifier import CamNetwork
from matlabel.settings.cam import CamSettings
from matlabel.training.launch import Job
from matlabel.training.loop import check_number, fit

# Images that a look looks at.
WATCHED = 64
# Of a class with fewer images none is held out for good.
SCARCE = 10
# Fewer than this share of the images held out say nothing.
LEAST_HELD = 1 / 20

Network = Callable[[CamSettings], CamNetwork]


@dataclass
class Trained:
    """A trained classifier, and its checks by tags.

    Attributes:
        model: with the network that is taken.
        history: rows of history.csv.
        why_plain: why a plain classifier was taken, in words; None where the terms had their say, or there are none.
        objection: what speaks against the terms, in words, whatever was done about it; that they never began does not.
        samples: all training images.
        asked: bool[N], those whose tags were held out.
        logits: float32[N, K], the held-out predictions; 0 where not asked.
        folds: how many trainings these are from.
        steps: of the training.
        began: the step at which the terms began; None where they never did.
        held_back: how often they were halved.
    """

    model: D2Cam
    history: list[dict]
    why_plain: str | None
    objection: str | None
    samples: TaggedImages
    asked: np.ndarray
    logits: np.ndarray
    folds: int
    steps: int
    began: int | None
    held_back: int

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of model.safetensors: network.… and, with an embedding, centres.…"""
        model = self.model
        centres = model.centres.cpu().state_dict() if model.centres is not None else {}
        parts = {"network": model.network.cpu().state_dict(), "centres": centres}
        return {f"{part}.{name}": value for part, held in parts.items() for name, value in held.items()}

    def metadata(self) -> dict[str, str]:
        """The metadata of model.safetensors beside stage, key and classes."""
        model = self.model
        backbone, settings = model.network.backbone, model.settings
        return {
            "backbone": settings.backbone,
            **backbone.scale.metadata,
            "licence": backbone.licence,
            "settings": canonical(settings.keyed()),
            "plain": self.why_plain or "",
        }

    def check(self, classes: list[str]) -> dict[str, Any]:
        """check.json (see stage.py)."""
        logits, tags = self.logits[self.asked], self.samples.tags[self.asked]
        mean, deviation = shuffled_average_precision(logits, tags)
        by_class = {
            name: round(average_precision(logits[:, label], tags[:, label]), 4) if tags[:, label].any() else None
            for label, name in enumerate(classes)
        }
        last = self.model.schedule.last
        return {
            "format": 1,
            "images": int(self.asked.sum()),
            "classes": int(tells(tags).sum()),
            "trainings": self.folds,
            "loss": round(relative_loss(logits, tags, self.samples.tags.mean(0)), 4),
            "mean_ap": round(mean_average_precision(logits, tags), 4),
            "mean_ap_shuffled": round(mean, 4),
            "mean_ap_deviation": round(deviation, 4),
            "by_class": by_class,
            "look": {name: round(value, 4) for name, value in vars(last).items()} if last else None,
            "steps": self.steps,
            "began": self.began,
            "held_back": self.held_back,
            "plain": self.why_plain,
            "objection": self.objection,
        }

    def held_out_text(self, classes: list[str]) -> str:
        """held_out.csv: a line an image that was asked, its probability of each class."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["id", *classes])
        found = probabilities(self.logits)
        for number in np.flatnonzero(self.asked):
            writer.writerow([self.samples.entries[number][1].id, *(f"{value:.4f}" for value in found[number])])
        return out.getvalue()


def train(fabric: Fabric, job: Job, settings: CamSettings, samples: TaggedImages, network: Network) -> Trained:
    """Train on `samples`, some held out for checks; resumes the checkpoint of a killed job.

    Of a small set none is given up: short trainings on folds ask for all tags, and say when the terms may begin. Of a
    larger one a tenth of the images is not trained on, and says so on the way.

    Args:
        network: settings -> a fresh classifier, the same weights each time.

    Raises:
        UserError: fewer images than a batch, out of memory, or a loss that is not finite.
    """
    check_number(job.stage, settings, len(samples))
    asked, begin = _held_out(samples, settings, job.seed), None
    small = asked.all()
    if small:
        learnt, trainings = samples, min(FOLDS, len(samples))
        logits, begin = cross_validated(fabric, job, settings, samples, lambda: network(settings.plain()))
    else:
        learnt, trainings = samples.only(~asked), 1
        logits = np.zeros(samples.tags.shape, np.float32)
    steps = settings.epochs_of(len(learnt)) * (len(learnt) // settings.batch_size)
    if settings.warmup != "auto":
        begin = int(settings.warmup)
    watch = _watch(fabric, samples.only(asked), learnt.tags.mean(0), job.seed)

    def fitted(chosen: CamSettings, own: Job, begin: int | None) -> tuple[D2Cam, list[dict]]:
        model = D2Cam(network(chosen), chosen, learnt.alone(), job.seed, Schedule(begin), watch, fabric.is_global_zero)
        return model, fit(fabric, own, chosen, model, learnt)

    hopeless = small and begin is None
    model, history = fitted(settings.plain() if hopeless else settings, job, begin)
    terms, why, objection = model.schedule, None, None
    began = terms.began if settings.refines and not hopeless and terms.first is not None else None
    if began is not None:
        why = objection = against_terms(terms, steps)
        if why and settings.fallback == "auto":
            fabric.print(f"cam: {why}; a plain classifier is trained and taken", file=sys.stderr)
            model, more = fitted(settings.plain(), job.part("plain"), None)
            again = ({**row, "epoch": row["epoch"] + len(history), "bound": None, "plain": 1} for row in more)
            history = [*history, *again]
        else:
            why = None
        if terms.unseen and settings.warmup != "auto" and not objection:
            objection = f"the terms began after {began} steps, before it was known whether tags are predicted"
    elif settings.refines:
        because = "tags are hardly predicted better than by their frequencies, or late in the training"
        if settings.warmup != "auto":
            because = f"cam.warmup is {settings.warmup:g}, and the training has {steps} steps"
        why = f"the terms never began: {because}"
        fabric.print(f"cam: {why}; a plain classifier is taken", file=sys.stderr)
        model = _without_terms(model, network, learnt, job.seed)
    if not small:
        workers = job.workers if job.workers is not None else 8 if fabric.device.type == "cuda" else 0
        held = WholeImages(samples.only(asked))
        logits[asked] = whole_maps(fabric, model.network.to(fabric.device), held, workers).mean((2, 3)).numpy()
    return Trained(model, history, why, objection, samples, asked, logits, trainings, steps, began, terms.held_back)


def _held_out(samples: TaggedImages, settings: CamSettings, seed: int) -> np.ndarray:
    """bool[N]: the images held out, a tenth; all, by cross-validation, where a tenth is too few."""
    ids = [entry.id for _, entry in samples.entries]
    scarce = samples.tags.sum(0) < SCARCE
    asked = (folds(ids, samples.tags, 10, seed) == 0) & ~samples.tags[:, scarce].any(1)
    few = asked.sum() < LEAST_HELD * len(samples) or (~asked).sum() < settings.batch_size
    return np.ones(len(samples), bool) if len(samples) < SMALL or few else asked


def _without_terms(model: D2Cam, network: Network, samples: TaggedImages, seed: int) -> D2Cam:
    """A classifier whose terms never began, without the heads that only they would have trained."""
    settings = model.settings.plain()
    plain = network(settings)
    plain.load_state_dict(model.network.state_dict(), strict=False)
    return D2Cam(plain, settings, samples.alone(), seed, model.schedule)


def _watch(fabric: Fabric, samples: TaggedImages, frequency: np.ndarray, seed: int) -> Callable[[CamNetwork], Look]:
    """A function that checks the classifier on some of the images, kept in memory."""
    ids = [entry.id for _, entry in samples.entries]
    parts = -(-len(samples) // WATCHED)
    if parts > 1:
        samples = samples.only(folds(ids, samples.tags, parts, seed) == 0)
    whole = WholeImages(samples)
    pictures = torch.stack([whole[number] for number in range(len(whole))])
    tags: Tensor = torch.from_numpy(samples.tags)
    # That of the first process: averages of normalisation differ between them, and the schedule must not.
    return lambda network: fabric.broadcast(look_at(whole_maps(fabric, network, pictures), tags, frequency))
