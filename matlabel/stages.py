"""The stages: one table of what each is called, reads, leaves and costs.

Plan, resources, rules, command line and inspection read it, and no other place lists the stages. A stage is named once:
so are its rule, its command, its package, its block of the config and its folder below results/. A new one is a package
with `stage.py`, an entry here, a rule file, a settings file and a command.

Settings come as arguments, so that everything can import this: `settings` are those of a variant, `own` a stage's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# Mattes by another method than closed_form at a quarter of the size: its seconds and megabytes, times those below. Of
# vitmatte taken high, as nobody has measured it.
_MATTING = {"vitmatte": (40, 20), "crf": (6, 2), "none": (0.2, 1), "random_walk": (6, 3), "knn": (6, 3), "lbdm": (3, 2)}
_FULL_SIZE = 16
# Images to a process that solves mattes: on fewer its start takes as long as its work, and shards run side by side.
_MATTED = 128


@dataclass(frozen=True)
class Splits:
    """The splits of the data, as one variant sees them.

    Attributes:
        all: in the data's order.
        trained: all but those held out by evaluation.splits.
        masked: whether every image of a split has a true mask.
    """

    all: Sequence[str]
    trained: Sequence[str]
    masked: Callable[[str], bool]


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        main: the file that a job leaves, with `{shard}` where there is a job for each shard.
        reads: settings -> the stages of its own chain whose artifacts it reads.
        reads_earlier: settings -> likewise of the round before, in a second round.
        covers: settings, splits -> the splits whose images it reads.
        all_but: the setting that, not given, means all splits but those held out, which then are part of the key.
        beside: what else a job leaves, beside its main file.
        judged: of these, what the evaluation reads.
        csvs: the driver's tables of a shard that lie there, <csv>-<shard>-<digest>.csv.
        png: the folder that a shard is exported to as PNGs, with `{shard}`; "" for none.
        held_out: scored on the held-out images, and on training images only where none are held out.
        training: it trains a network: one job, with a random seed, perhaps on several machines.
        entry: own -> the module of its package that the command calls.
        weights: own -> files or folders of weights named there, which are read: another file is another artifact.
        seconds: of one core for an image; of a training for a crop of 256 pixels of an epoch, with a ResNet-50, on two.
        megabytes: the peak of a job; images are read one after the other, so their number does not matter.
        factors: own -> what to multiply seconds and megabytes by.
        workers: own, images of the job -> processes that share them, for one that reads and writes; None: it does all.
        gpus: own, whether networks run on GPUs -> how many a job uses.
    """

    name: str
    main: str
    reads: Callable[[Any], tuple[str, ...]]
    covers: Callable[[Any, Splits], Sequence[str]]
    seconds: float
    megabytes: int = 250
    reads_earlier: Callable[[Any], tuple[str, ...]] = lambda settings: ()
    all_but: str = ""
    beside: tuple[str, ...] = ()
    csvs: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()
    png: str = ""
    held_out: bool = False
    training: bool = False
    entry: Callable[[Any], str] = lambda own: "stage"
    weights: Callable[[Any], tuple[str, ...]] = lambda own: ()
    factors: Callable[[Any], tuple[float, float]] = lambda own: (1, 1)
    workers: Callable[[Any, int], int] | None = None
    gpus: Callable[[Any, bool], int] = lambda own, wanted: 0

    @property
    def sharded(self) -> bool:
        """Whether there is a job for each shard."""
        return "{shard}" in self.main

    def trains(self, own: Any) -> bool:
        """Whether it trains a network under these settings: not where it takes over the weights of an earlier run."""
        return self.training and not getattr(own, "weights_from", None)

    @property
    def folder(self) -> str:
        """The stage's folder of a key, relative to the working directory: a pattern with `{key}`."""
        return f"results/{self.name}/{{key}}"


def _labelled(settings: Any, splits: Splits) -> Sequence[str]:
    if settings.labels.splits is None and settings.labels.source == "masks":
        return [split for split in splits.all if splits.masked(split)]
    return settings.labels.splits or splits.all


def _scored(settings: Any, splits: Splits) -> Sequence[str]:
    labelled = settings.labels.source == "mattes"
    return settings.evaluation.label_splits or [split for split in splits.trained if labelled or splits.masked(split)]


def _read_by_activations(settings: Any) -> tuple[str, ...]:
    return ("dataset", "cam") if settings.activations.kind == "cam" else ("dataset",)


def _read_by_segmenter(settings: Any) -> tuple[str, ...]:
    read = ("dataset", "labels")
    read += ("mattes",) if settings.segmenter.target == "soft" else ()
    return read + (("cam",) if settings.segmenter.weights == "cam" else ())


def _read_by_evaluation(settings: Any) -> tuple[str, ...]:
    masks = settings.labels.source == "masks"
    read = ("dataset", "labels") if masks else ("dataset", "activations", "trimaps", "mattes", "labels")
    read += ("cam",) if not masks and settings.activations.kind == "cam" else ()
    return read + (("predictions",) if settings.segmenter.train else ())


def _training_weights(own: Any) -> tuple[str, ...]:
    named = (own.weights_file, getattr(own, "weights_from", None))
    return tuple(name for name in named if name)


def _training_gpus(own: Any, wanted: bool) -> int:
    # Weights that are taken over are only copied.
    return own.processes if wanted and not getattr(own, "weights_from", None) else 0


def _matting_factors(own: Any) -> tuple[float, float]:
    slower, larger = _MATTING.get(own.method, (1, 1))
    return (slower * _FULL_SIZE, larger * 4) if own.scale == 1 and own.takes_trimap else (slower, larger)


def _matting_gpus(own: Any, wanted: bool) -> int:
    able = own.method in ("closed_form", "vitmatte") and own.device != "cpu"
    return int(able and (wanted or own.device == "cuda"))


def _table(*stages: Stage) -> dict[str, Stage]:
    return {stage.name: stage for stage in stages}


# Name -> stage, each after those that it reads.
STAGES = _table(
    Stage(
        name="dataset",
        main="shard-{shard}.checks.json",
        csvs=("shard", "masks"),
        reads=lambda settings: (),
        covers=lambda settings, splits: splits.all,
        seconds=0.05,
    ),
    Stage(
        name="cam",
        main="model.safetensors",
        beside=("history.csv", "check.json", "held_out.csv"),
        judged=("check.json", "held_out.csv"),
        training=True,
        reads=lambda settings: ("dataset",),
        covers=lambda settings, splits: settings.cam.splits or splits.trained,
        all_but="splits",
        weights=_training_weights,
        # With its short trainings, and the plain one that it may fall back to.
        seconds=0.75,
        megabytes=2000,
        gpus=_training_gpus,
    ),
    Stage(
        name="activations",
        main="shard-{shard}.h5",
        csvs=("maps",),
        reads=_read_by_activations,
        reads_earlier=lambda settings: ("segmenter",) if settings.activations.kind == "segmenter" else (),
        covers=_labelled,
        entry=lambda own: "stage" if own.kind == "cam" else f"{own.kind}_stage",
        seconds=1.5,
        megabytes=1600,
        gpus=lambda own, wanted: int(wanted and own.kind != "files"),
    ),
    Stage(
        name="trimaps",
        main="shard-{shard}.h5",
        csvs=("corrections",),
        reads=lambda settings: ("dataset", "activations"),
        covers=_labelled,
        seconds=0.02,
    ),
    Stage(
        name="mattes",
        main="shard-{shard}.h5",
        reads=lambda settings: ("dataset", "activations", *(("trimaps",) if settings.mattes.takes_trimap else ())),
        covers=_labelled,
        weights=lambda own: (own.weights,) if own.method == "vitmatte" and own.weights else (),
        seconds=0.05,
        megabytes=200,
        factors=_matting_factors,
        workers=lambda own, images: max(1, min(own.workers, images // _MATTED)),
        gpus=_matting_gpus,
    ),
    Stage(
        name="labels",
        main="shard-{shard}.h5",
        png="png/shard-{shard}",
        reads=lambda settings: ("dataset",) if settings.labels.source == "masks" else ("dataset", "mattes"),
        covers=_labelled,
        seconds=0.02,
    ),
    Stage(
        name="segmenter",
        main="model.safetensors",
        beside=("config.json", "history.csv"),
        training=True,
        reads=_read_by_segmenter,
        covers=lambda settings, splits: settings.segmenter.splits or splits.trained,
        all_but="splits",
        weights=_training_weights,
        seconds=0.15,
        megabytes=1600,
        gpus=_training_gpus,
    ),
    Stage(
        name="predictions",
        main="shard-{shard}.h5",
        png="png/shard-{shard}",
        held_out=True,
        reads=lambda settings: ("dataset", "segmenter"),
        covers=lambda settings, splits: settings.predictions.splits or settings.evaluation.splits or splits.all,
        seconds=0.25,
        megabytes=1000,
        gpus=lambda own, wanted: int(wanted),
    ),
    Stage(
        name="evaluation",
        main="scores.json",
        beside=("per_class.csv", "per_image.csv", "wrong_tags.csv", "curves.csv"),
        reads=_read_by_evaluation,
        covers=_scored,
        all_but="label_splits",
        seconds=0.1,
    ),
    Stage(
        name="report",
        main="report.html",
        # It sets all chains side by side, and is in none.
        reads=lambda settings: (),
        covers=lambda settings, splits: splits.all,
        seconds=0.001,
    ),
)

# What every chain begins with, and ends with.
FIRST, LAST = STAGES["dataset"], STAGES["evaluation"]
REPORT = STAGES["report"]
TRAININGS = tuple(name for name, stage in STAGES.items() if stage.training)
# Made when it is asked for by name: in no chain, no `all` and no block of the config.
ABLATION = Stage(
    name="ablation",
    main="ablation.md",
    beside=("ablation.csv", "ablation.png"),
    reads=lambda settings: (),
    covers=lambda settings, splits: splits.all,
    seconds=0.001,
)
# All that have a folder below results/.
FOLDERS = _table(*STAGES.values(), ABLATION)


def position(name: str) -> int:
    """The place of a stage in the order of the table."""
    return list(FOLDERS).index(name)
