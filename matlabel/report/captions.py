"""Captions: on which images each number was measured, and what it means."""

from collections.abc import Sequence

from matlabel.report.markup import Html, element, join
from matlabel.report.runs import Run


def protocol(runs: Sequence[Run]) -> list[Html]:
    """Which half or split scores are measured on, and how void counts; runs with one protocol share a sentence."""
    users: dict[Html, list[str]] = {}
    for run in runs:
        names = users.setdefault(join(_measured_on(run), " "), [])
        if run.variant not in names:
            names.append(run.variant)
    if len(users) == 1:
        return list(users)
    return [join([element("b", ", ".join(names)), ": ", text]) for text, names in users.items()]


def definitions(runs: Sequence[Run]) -> list[Html]:
    """What the columns of the scores table mean."""
    run = runs[0]
    lines = [
        "<b>mIoU</b>: intersection over union from one confusion matrix over all images, averaged over the background "
        "and every class that occurs in the masks or in what is scored.",
        "<b>Seed</b>: the strongest class where its activation reaches the background threshold, else background, with "
        "the one threshold that is best on the tuning half. <b>Winner</b>: the strongest activation, background "
        "included, without any threshold; what the pseudo-labels would be without trimap and matting.",
        "<b>Sure object right</b>: of the pixels that the trimap is sure of an object class, those of the right class. "
        "<b>Object found</b>: of the pixels of true objects, those that are sure of the right class. "
        "<b>Sure background right</b>: of the sure background, what is background.",
        "<b>Boundary IoU</b> (Cheng et al. 2021): IoU of the inner boundaries, "
        f"{_digits(run.value('boundary'), 100)} % of the diagonal wide, summed over images and averaged over classes "
        f"as mIoU is. <b>Band mIoU</b>: mIoU of the pixels within {run.value('band')} px of a true contour.",
    ]
    if run.value("bootstrap"):
        lines.append(
            f"Small figures below a score: 95 % percentile interval over {run.value('bootstrap'):,} resamplings of the "
            "images (not of the training)."
        )
    if any(run.variant == other.variant and run.seed != other.seed for run in runs for other in runs):
        lines.append("Several seeds: mean and, below it, ± standard deviation; each seed in a line of its own.")
    if len({run.variant for run in runs if not run.beyond_tags}) > 1:
        lines.append("Bold: the best variant of those trained on tags alone.")
    return [Html(line) for line in lines]


def _measured_on(run: Run) -> list[str]:
    images = {
        name: run.value("images", name) or 0 for name in ("with_masks", "tuning", "scoring", "held_out_with_masks")
    }
    lines = []
    if images["with_masks"]:
        splits = _splits(run, ("tune", "score"))
        what = "Pseudo-labels are" if run.supervised else "Activations, trimaps and pseudo-labels are"
        lines.append(
            f"{what} scored on {images['scoring']:,} of the {images['with_masks']:,} training images with masks "
            f"(split {splits}): every second one in the order of the manifest, the scoring half."
        )
        if run.value("seed"):
            other = (
                f"The other {images['tuning']:,}, the tuning half, chose the threshold of the seed and score nothing."
            )
            lines.append(other)
    if run.value("predictions"):
        if run.value("predictions", "on") == "held_out":
            held_out = _splits(run, ("",), scored="predictions")
            number = run.value("predictions", "images")
            lines.append(f"Predictions are scored on the {number:,} held-out images with masks (split {held_out}).")
        else:
            lines.append(
                "There is no held-out split: predictions are scored on the scoring half, which was trained on."
            )
    void = "is counted as wrong" if run.value("void") == "wrong" else "is dropped"
    share = run.value("labels", "void_share")
    shown = f"; {100 * share:.1f} % of the pseudo-labels' pixels are" if share and run.value("void") == "skip" else ""
    lines.append(
        f"A pixel that is void in the true mask never counts; one that was predicted void {void} "
        f"(evaluation.void: {run.value('void')}{shown})."
    )
    return lines


def _splits(run: Run, halves: tuple[str, ...], scored: str | None = None) -> str:
    names = [row["split"] for row in run.images if row["half"] in halves and (scored is None or row[scored])]
    return ", ".join(dict.fromkeys(names))


def _digits(value: float | None, factor: float = 1) -> str:
    return "?" if value is None else f"{factor * value:.3g}"
