"""The stage evaluation: scores the artifacts of a variant by tags, and against true masks as far as there are any.

scores.json (shares in 0..1, 6 digits; a section is null where its artifacts or all masks are missing, a number is null
where there is nothing to count):

    {"format": 1, "void": "wrong" | "skip", "boundary": share of the diagonal, "band": pixels, "bootstrap": resamples,
     "classes": [...],
     "images": {"labels", "with_masks", "tuning", "scoring", "held_out", "held_out_with_masks"},
     "seed": {"threshold", "tuning": {"images", "miou", "iou": {label: IoU}}, "scoring": the same},
     "seed_unspread": the same, before spreading,
     "winner": SCORES of the strongest activation, background included: what mattes.method none gives,
     "trimaps": {"object_precision", "object_recall", "background_precision", "unknown_share",
                 "precision", "recall", "unknown": {label: share}},
     "mattes": SCORES of the largest alpha, before labels.margin and labels.least_region,
     "labels": {SCORES, "all": SCORES},
     "predictions": {SCORES, "on": "held_out" | "scoring"},
     "better", "worse": images with masks where the labels beat the winner, or lose to it, in mIoU,
     "without_masks": {"void_share", "margin": mean lead of the winning alpha, "unknown_share",
                       "cover": share of the tagged images that objects cover,
                       "enforced": {"images", "regions", "share": of the tags, "by_class": {label: regions}}},
     "check": check.json of the stage cam (see there), null without a classifier of this run,
     "doubted_tags", "look": how many tags of held-out images are doubted, how many images need a look,
     "warnings": [what speaks against the labels, in words]}

    SCORES = {"images", "miou", "iou": {label: IoU}, "pixel_accuracy", "void_share",
              "boundary_iou", "boundary": {label: boundary IoU}, "band_miou", "interval": [low, high]}

Of the training images with masks every other one, from the first, is the tuning half: there the seed's threshold is
chosen. The others are the scoring half: seed.scoring, winner, trimaps, mattes and labels are all scored on it, only
labels.all on both. Predictions are scored on the held-out splits or, where there are none, on the scoring half.
without_masks counts all pixels of all training images. Labels are "background" and the class names.

per_image.csv has for each image its scores, the share that objects cover, the mean margin, the share left unknown, and
why it needs a look, by its tags, trimap and label alone: `doubt`, 0 to 1, and `look` in words. wrong_tags.csv lists the
tags that the classifier doubts, of images that it had not seen, the likeliest mistakes first.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from matlabel.artifacts.atomic import write_json, write_text
from matlabel.artifacts.context import Context, load_context
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import Inputs, recorded
from matlabel.artifacts.scores import read_check
from matlabel.artifacts.shard import Shard, open_shard
from matlabel.dataset.manifest import Entry, ShardManifest, load_shards, tag_indices
from matlabel.dataset.true_masks import TrueMasks
from matlabel.evaluation.held_out_tags import HeldOutTags
from matlabel.evaluation.looks import reasons
from matlabel.evaluation.scorer import MaskScorer
from matlabel.evaluation.tables import IMAGE_COLUMNS, TAG_COLUMNS, class_text, csv_text, curves_text, plain
from matlabel.evaluation.training_images import TrainingImages
from matlabel.evaluation.warnings import warnings
from matlabel.evaluation.without_masks import WithoutMasks
from matlabel.settings.evaluation import EvaluationSettings

FORMAT = 1


def run(
    settings: Path,
    dataset: Path,
    held_out: Path | None,
    masks: Path | None,
    activations: Path | None,
    trimaps: Path | None,
    mattes: Path | None,
    labels: Path,
    predictions: Path | None,
    out: Path,
    code: str = "",
    cam: Path | None = None,
) -> None:
    """Score one variant.

    Args:
        settings: settings.yaml of the evaluation.
        dataset: CSV or list of the shards of the training images that are scored.
        held_out: likewise of the held-out splits.
        masks: CSV or list of the true masks of both.
        activations, trimaps, mattes, labels, predictions: folders with shard-<number>.h5.
        out: scores.json; per_class.csv, per_image.csv, wrong_tags.csv and curves.csv are written beside it.
        code: digest of the sources, for the provenance.
        cam: folder of the classifier, with check.json and held_out.csv.

    Raises:
        UserError: a shard is missing or of other data, or a mask is missing, changed or of another size than its image.
    """
    context = load_context(settings, "evaluation", EvaluationSettings)
    beside = {name: out.with_name(f"{name}.csv") for name in ("per_class", "per_image", "wrong_tags", "curves")}
    folders = {"activations": activations, "trimaps": trimaps, "mattes": mattes, "labels": labels}
    with recorded([out, *beside.values()], stage="evaluation", key=context.key, code=code) as inputs:
        inputs.add([settings, dataset, *(path for path in (held_out, masks) if path)])
        shards = load_shards(dataset)
        check, held_out_tags = _of_classifier(cam, shards, context.classes, inputs)
        run = _Evaluation(context, TrueMasks(masks, len(context.classes), inputs), inputs, check, held_out_tags)
        for shard in shards:
            # Without held-out splits the segmenter can only be scored where it was trained, if that was predicted.
            predicted = None if held_out or predictions is None else predictions / f"shard-{shard.number}.h5"
            also = {"predictions": predictions} if predicted and predicted.exists() else {}
            run.training_shard(shard, {**folders, **also})
        for shard in load_shards(held_out) if held_out else []:
            run.held_out_shard(shard, predictions)
        scores = plain(run.scores("held_out" if held_out else "scoring"))
        write_text(beside["per_class"], class_text(scores, run.names))
        write_text(beside["per_image"], csv_text(IMAGE_COLUMNS, run.rows))
        write_text(beside["wrong_tags"], csv_text(TAG_COLUMNS, sorted(run.doubted, key=lambda row: -row[-1])))
        write_text(beside["curves"], curves_text(run.training.curves()))
        write_json(out, scores)


class _Evaluation:
    def __init__(
        self,
        context: Context[EvaluationSettings],
        truth: TrueMasks,
        inputs: Inputs,
        check: dict[str, Any] | None,
        held_out_tags: HeldOutTags | None,
    ):
        self._context, self._truth, self._inputs = context, truth, inputs
        self._check, self._held_out_tags = check, held_out_tags
        classes = context.classes
        self.names = ["background", *classes]
        self.training = TrainingImages(len(classes), context.settings)
        self.predictions = MaskScorer(len(classes), context.settings)
        self.without_masks = WithoutMasks(self.names)
        self.rows: list[list[Any]] = []
        self.doubted: list[list[Any]] = []
        self._need_a_look = 0
        self._labelled = self._held_out = self._held_out_with_masks = 0

    def training_shard(self, manifest: ShardManifest, folders: dict[str, Path | None]) -> None:
        self._inputs.add(manifest.files)
        with self._open(manifest, folders) as shards:
            for entry in manifest.entries:
                # Labels that were taken from true masks stand only where there is a mask.
                if entry.id in shards["labels"] or "mattes" in shards:
                    self._training_image(entry, manifest.sizes[entry.id], shards)

    def _training_image(self, entry: Entry, shape: tuple[int, int], shards: dict[str, Shard]) -> None:
        label = shards["labels"][entry.id]
        labels = _sized(label["labels"], shape, shards["labels"], entry.id)
        tags = tag_indices(entry, self._context.classes)
        trimap, enforced, unknown = None, np.zeros(0, np.uint8), None
        self._labelled += 1
        cover = self.without_masks.add_labels(labels, label.get("margin"), tags)
        if "trimaps" in shards:
            arrays = shards["trimaps"][entry.id]
            trimap, enforced = _sized(arrays["trimap"], shape, shards["trimaps"], entry.id), arrays["enforced"]
            unknown = self.without_masks.add_trimap(trimap, enforced, tags)
        margin = float(label["margin"].mean()) / 255 if "margin" in label else None
        about = [";".join(self.names[value] for value in enforced), cover, margin, unknown]
        about += self._look(entry, labels, tags, enforced)
        tagged = ";".join(entry.tags)
        if entry.id not in self._truth:
            self.rows.append([entry.id, entry.split, None, tagged, None, None, None, *about])
            return
        truth = self._truth.read(entry.id, shape)
        activations, matte = (shards[name][entry.id] if name in shards else None for name in ("activations", "mattes"))
        if matte is not None:
            _sized(matte["alphas"][0], shape, shards["mattes"], entry.id)
        image = self.training.add(truth, labels, activations, trimap, matte)
        half, predicted = {"tuning": "tune", "scoring": "score"}[image.half], None
        if "predictions" in shards and image.half == "scoring":
            predicted = self._predicted(entry, truth, shards["predictions"])
        self.rows.append([entry.id, entry.split, half, tagged, image.winner, image.labels, predicted, *about])

    def _look(self, entry: Entry, labels: np.ndarray, tags: list[int], enforced: np.ndarray) -> tuple[float, str]:
        """The columns `doubt` and `look` of an image; also collects its doubted tags."""
        doubts = self._held_out_tags.doubts(entry.id) if self._held_out_tags else []
        for doubt in doubts:
            row = [entry.id, entry.split, self.names[doubt.label + 1], "tagged" if doubt.tagged else "not tagged"]
            self.doubted.append([*row, doubt.probability, doubt.severity])
        found = reasons(labels, tags, enforced.tolist(), doubts, self.names)
        self._need_a_look += bool(found)
        return found[0].severity if found else 0.0, "; ".join(reason.words for reason in found)

    def held_out_shard(self, manifest: ShardManifest, predictions: Path | None) -> None:
        self._inputs.add(manifest.files)
        with self._open(manifest, {"predictions": predictions}) as shards:
            for entry in manifest.entries:
                predicted = None
                self._held_out += 1
                if entry.id in self._truth:
                    self._held_out_with_masks += 1
                    if "predictions" in shards:
                        truth = self._truth.read(entry.id, manifest.sizes[entry.id])
                        predicted = self._predicted(entry, truth, shards["predictions"])
                self.rows.append([entry.id, entry.split, None, ";".join(entry.tags), None, None, predicted])

    def _predicted(self, entry: Entry, truth: np.ndarray, shard: Shard) -> float:
        labels = _sized(shard[entry.id]["labels"], truth.shape, shard, entry.id)
        return self.predictions.add(truth, labels)

    def scores(self, predictions_on: str) -> dict[str, Any]:
        training, names, settings = self.training, self.names, self._context.settings
        trimaps, predictions = training.trimaps(), self.predictions.summary(names)
        scores = {
            "format": FORMAT,
            "void": settings.void,
            "boundary": settings.boundary,
            "band": settings.band,
            "bootstrap": settings.bootstrap,
            "classes": self._context.classes,
            "images": {
                "labels": self._labelled,
                "with_masks": training.images,
                "tuning": training.number("tuning"),
                "scoring": training.number("scoring"),
                "held_out": self._held_out,
                "held_out_with_masks": self._held_out_with_masks,
            },
            "seed": training.seed("seed", names),
            "seed_unspread": training.seed("seed_unspread", names),
            "winner": training.winner(names),
            "trimaps": trimaps
            and {
                name: dict(zip(names, value, strict=True)) if isinstance(value, np.ndarray) else value
                for name, value in vars(trimaps).items()
            },
            "mattes": training.mattes(names),
            "labels": training.labels(names),
            "predictions": predictions and {**predictions, "on": predictions_on},
            "better": training.better if training.compared else None,
            "worse": training.worse if training.compared else None,
            "without_masks": self.without_masks.summary(),
            "check": self._check,
            "doubted_tags": len(self.doubted) if self._held_out_tags else None,
            "look": self._need_a_look,
        }
        return {**scores, "warnings": warnings(scores)}

    @contextmanager
    def _open(self, manifest: ShardManifest, folders: dict[str, Path | None]) -> Iterator[dict[str, Shard]]:
        with ExitStack() as stack:
            shards = {}
            for stage, folder in folders.items():
                if folder is None:
                    continue
                path = folder / f"shard-{manifest.number}.h5"
                shards[stage] = stack.enter_context(open_shard(path, stage))
                if shards[stage].classes != self._context.classes:
                    raise UserError(f"{path}: made for other classes than {', '.join(self._context.classes)}")
                self._inputs.add(path)
            yield shards


def _of_classifier(
    cam: Path | None, shards: list[ShardManifest], classes: list[str], inputs: Inputs
) -> tuple[dict[str, Any] | None, HeldOutTags | None]:
    """check.json and held_out.csv of the classifier; (None, None) where there is none, or it was taken over."""
    if cam is None:
        return None, None
    files = [cam / "check.json", cam / "held_out.csv"]
    inputs.add(files)
    check = read_check(files[0])
    if check is None:
        return None, None
    tags = {entry.id: tag_indices(entry, classes) for shard in shards for entry in shard.entries}
    return check, HeldOutTags(files[1], tags, len(classes))


def _sized(labels: np.ndarray, shape: tuple[int, int], shard: Shard, image_id: str) -> np.ndarray:
    if labels.shape != tuple(shape):
        raise UserError(
            f"{shard.path}: {image_id} is {labels.shape[1]} x {labels.shape[0]} pixels, its image "
            f"{shape[1]} x {shape[0]}; it was made from other data: rerun {shard.stage}"
        )
    return labels
