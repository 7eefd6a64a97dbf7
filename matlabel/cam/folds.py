"""Cross-validation for small data sets: held-out tag predictions of every image, from short trainings on folds."""

import sys
from collections.abc import Callable
from math import ceil
from statistics import median

import numpy as np
import torch
from lightning_fabric import Fabric

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.state_dict import load_state, save_state
from matlabel.cam.check import look_at
from matlabel.cam.held_out import folds
from matlabel.cam.model import D2Cam
from matlabel.cam.samples import TaggedImages
from matlabel.cam.schedule import Schedule
from matlabel.cam.whole_images import WholeImages, whole_maps
from matlabel.networks.classifier import CamNetwork
from matlabel.settings.cam import CamSettings
from matlabel.training.checkpoint import check_agreement
from matlabel.training.launch import Job
from matlabel.training.loop import fit

FOLDS = 4
# Of the steps of the training itself.
SHORT = 1 / 3


def cross_validated(
    fabric: Fabric, job: Job, settings: CamSettings, samples: TaggedImages, network: Callable[[], CamNetwork]
) -> tuple[np.ndarray, int | None]:
    """Predict each fold's tags by a plain classifier trained on the other three folds for a third of the steps.

    Finished folds are kept beside the checkpoint, so that a killed job goes on with the next one.

    Args:
        job: of the training itself; each fold has a checkpoint of its own.
        settings: of the training itself.
        samples: all training images.
        network: a fresh classifier, always with the same weights.

    Returns:
        logits float32[N, K], each image's from the classifier that has not seen it; and the step at which tags were
        predicted better than by their frequencies, the median over the folds; None where most never got there.
    """
    ids = [entry.id for _, entry in samples.entries]
    count = min(FOLDS, len(samples))
    fold = folds(ids, samples.tags, count, job.seed)
    steps = settings.epochs_of(len(samples)) * (len(samples) // settings.batch_size)
    short = settings.plain().model_copy(update={"epochs": 1, "steps": ceil(SHORT * steps)})
    # As large as the smallest training allows, in equal shares of the processes.
    least = min(int((fold != number).sum()) for number in range(count))
    share = max(1, min(settings.batch_size, least) // settings.processes)
    short = short.model_copy(update={"batch_size": share * settings.processes})
    kept = job.part("folds").checkpoint
    logits, began = _kept(kept, job.fingerprint)
    check_agreement(fabric, job, len(began))
    for number in range(len(began), count):
        held, learnt = samples.only(fold == number), samples.only(fold != number)
        pictures = torch.stack([WholeImages(held)[index] for index in range(len(held))])
        frequency = learnt.tags.mean(0)

        def watch(current: CamNetwork, held=held, pictures=pictures, frequency=frequency):
            maps = whole_maps(fabric, current, pictures)
            return fabric.broadcast(look_at(maps, torch.from_numpy(held.tags), frequency))

        model = D2Cam(network(), short, learnt.alone(), job.seed, Schedule(None), watch)
        own = job.part(f"fold-{number}")
        fabric.print(f"cam: short training {number + 1} of {count}, to check the tags", file=sys.stderr)
        fit(fabric, own, short, model, learnt)
        logits.append(whole_maps(fabric, model.network, pictures).mean((2, 3)))
        began.append(model.schedule.began)
        if fabric.is_global_zero:
            save_state(kept, {"fingerprint": job.fingerprint, "logits": logits, "began": began})
            own.checkpoint.unlink(missing_ok=True)
        fabric.barrier()
    found = np.zeros(samples.tags.shape, np.float32)
    for number, part in enumerate(logits):
        found[fold == number] = part.numpy()
    reached = sorted(step for step in began if step is not None)
    return found, int(median(reached)) if 2 * len(reached) > count else None


def _kept(path, fingerprint: str) -> tuple[list, list]:
    try:
        content = load_state(path)
    except UserError:
        return [], []
    if content.get("fingerprint") != fingerprint:
        return [], []
    logits, began = content.get("logits"), content.get("began")
    if not isinstance(logits, list) or not isinstance(began, list) or len(logits) != len(began):
        return [], []
    return logits, began
