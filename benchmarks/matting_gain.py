"""Does matting help? The labels of several methods from the same activations and trimaps, against true masks."""

from functools import partial
from pathlib import Path

import numpy as np
from matting_inputs import Example, examples
from measure import table

from matlabel.evaluation.confusion import confusion
from matlabel.evaluation.scorer import MaskScorer
from matlabel.mattes.methods import alphas_of
from matlabel.processes import over_processes
from matlabel.settings.evaluation import EvaluationSettings
from matlabel.settings.mattes import MattesSettings

METHODS = {
    "none": MattesSettings(method="none"),
    "random_walk": MattesSettings(method="random_walk"),
    "crf": MattesSettings(method="crf"),
    "closed_form, scale 1": MattesSettings(scale=1),
    "closed_form, scale 2": MattesSettings(scale=2),
    "closed_form, scale 4": MattesSettings(scale=4),
}
MATTED = "closed_form, scale 4"


def methods(priors: list[float]) -> dict[str, MattesSettings]:
    """The methods to compare, closed_form also with each prior."""
    found, default = dict(METHODS), MattesSettings().prior
    for prior in [default, *priors]:
        changed = {"prior": prior} if prior != default else {}
        changed |= {"samples": 0} if prior == 0 else {}
        name = ", ".join([MATTED, *(f"{name} {weight:g}" for name, weight in changed.items())])
        found[name] = MattesSettings(scale=4, **changed)
    return found


def labelled(example: Example, compared: dict[str, MattesSettings]) -> dict[str, np.ndarray]:
    """Method -> label image uint8[H, W]."""
    values = np.array([0, *example.labels], np.uint8)
    found = {}
    for method, settings in compared.items():
        alphas = alphas_of(example.image, example.labels, settings, trimap=example.trimap, prior=example.activations)
        found[method] = values[alphas.argmax(axis=0)]
    return found


def run(folder: Path, masks: Path, images: int | None, workers: int, priors: list[float]) -> str:
    """Scores of every method, and which kinds of images matting made better and worse.

    Args:
        folder: results/runs/<variant>/seed-<n>.
        masks: true masks, <id>.png.
        images: the first so many; None for all.
        workers: processes.
        priors: values of mattes.prior to compare.
    """
    given = [item for item in examples(folder, masks) if item.mask is not None][:images]
    classes = max(max(item.labels) for item in given)
    settings = EvaluationSettings(bootstrap=1000)
    compared = methods(priors)
    scorers = {method: MaskScorer(classes, settings) for method in compared}
    own: dict[str, list[float]] = {method: [] for method in compared}
    results = over_processes(partial(labelled, compared=compared), given, workers, "--workers")
    for item, found in zip(given, results, strict=True):
        for method, labels in found.items():
            own[method].append(scorers[method].add(item.mask, labels))
    names = [str(value) for value in range(classes + 1)]
    rows = []
    for method, scorer in scorers.items():
        scores = scorer.summary(names)
        low, high = scores["interval"]
        change = np.array(own[method]) - np.array(own["none"])
        rows.append(
            [
                method,
                f"{100 * scores['miou']:.1f} ({100 * low:.1f}-{100 * high:.1f})",
                f"{100 * scores['boundary_iou']:.1f}",
                f"{100 * scores['band_miou']:.1f}",
                f"{np.count_nonzero(change > 0.001)} / {np.count_nonzero(change < -0.001)}",
            ]
        )
    head = ["method", "mIoU (95 %)", "boundary IoU", "mIoU within 5 px", "better / worse than none"]
    change = np.array(own[MATTED]) - np.array(own["none"])
    return "\n\n".join(
        [
            f"{len(given)} images",
            table(head, rows),
            f"{MATTED} against none, by kind of image; change is that of the image's own mIoU",
            table(["kind", "images", "better / worse", "mean change"], kinds(given, change, classes)),
        ]
    )


def kinds(given: list[Example], change: np.ndarray, classes: int) -> list[list]:
    """How many images of each kind became better and worse."""
    share = np.array([np.mean((item.mask > 0) & (item.mask < 255)) for item in given])
    tags = np.array([len(item.labels) for item in given])
    unknown = np.array([np.mean(item.trimap == 255) for item in given])
    object_right, background_right = np.array([_sure_right(item, classes) for item in given]).T
    kinds = {
        "one class": tags == 1,
        "two or more": tags > 1,
        "object under 10 % of the image": share < 0.1,
        "10 to 40 %": (share >= 0.1) & (share < 0.4),
        "over 40 %": share >= 0.4,
        "unknown under 10 %": unknown < 0.1,
        "10 to 20 %": (unknown >= 0.1) & (unknown < 0.2),
        "over 20 %": unknown >= 0.2,
        "sure object right in 95 % and more": object_right >= 0.95,
        "in 80 to 95 %": (object_right >= 0.8) & (object_right < 0.95),
        "in under 80 %": object_right < 0.8,
        "sure background right in 95 % and more": background_right >= 0.95,
        "in less": background_right < 0.95,
    }
    return [
        [
            kind,
            int(which.sum()),
            f"{np.count_nonzero(change[which] > 0.001)} / {np.count_nonzero(change[which] < -0.001)}",
            f"{100 * change[which].mean():+.1f}" if which.any() else "",
        ]
        for kind, which in kinds.items()
    ]


def _sure_right(item: Example, classes: int) -> tuple[float, float]:
    """Shares of the pixels that are surely object, and surely background, that are so."""
    matrix = confusion(item.mask, item.trimap, classes)[:, :-1]
    of_objects, of_background = matrix[:, 1:].sum(), matrix[:, 0].sum()
    right = np.diagonal(matrix)
    return right[1:].sum() / max(1, of_objects), right[0] / max(1, of_background)
