"""Checks of a config against its data before any job starts: splits, tags, masks, corrections, maps, packages."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from itertools import permutations, product
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.naming import some
from matlabel.artifacts.reading import read_bytes
from matlabel.dataset.manifest import tag_indices
from matlabel.dataset.scan import Scan
from matlabel.runs.chain import stages_of
from matlabel.runs.second_round import earlier_round
from matlabel.runs.starts import check_name
from matlabel.settings.config import StageSettings
from matlabel.stages import STAGES

# A repository on a hub: an owner and a name.
ON_HUB = re.compile(r"[A-Za-z0-9]\w*(?:[.-]\w+)*/[A-Za-z0-9][\w.-]*")
# Matting methods that come with an extra: method -> (package, extra).
PACKAGES = {
    "knn": ("pymatting", "pymatting"),
    "lbdm": ("pymatting", "pymatting"),
    "vitmatte": ("transformers", "vitmatte"),
}

# Images of a class below which a classifier learns little of it.
FEW = 10
_NAMED = 5


def check_splits(where: str, settings: StageSettings, data: Scan) -> None:
    """Check that every named split exists, one is left to train on, and labels from masks have masks.

    Args:
        where: start of the message.

    Raises:
        UserError: it is not so.
    """
    for stage, field in product(STAGES, ("splits", "label_splits")):
        for split in getattr(getattr(settings, stage), field, None) or []:
            if split not in data.splits:
                raise UserError(
                    f"{where}{stage}.{field}: the data has no split {split}; it has {', '.join(data.splits)}"
                )
    trained = [split for split in data.splits if split not in settings.evaluation.splits]
    if not trained:
        raise UserError(f"{where}evaluation.splits: no split is left to train on")
    if settings.labels.source == "masks":
        wanted = [*(settings.segmenter.splits or trained), *(settings.labels.splits or [])]
        bare = next((split for split in wanted if not data.masked(split)), None)
        if bare:
            raise UserError(
                f"{where}labels.source is masks, but split {bare} has images without masks; "
                "name the splits that have them in segmenter.splits"
            )


def check_tags(where: str, settings: StageSettings, data: Scan, classes: list[str]) -> list[str]:
    """Check that every class is in some of the training images and absent from others, else its tags teach nothing.

    Args:
        where: start of the message.
        classes: the class names.

    Returns:
        lines on classes that tags tell little of.

    Raises:
        UserError: all training images have the same tags, or none has some class.
    """
    if "cam" not in stages_of(settings) or settings.cam.weights_from:
        return []
    splits = settings.cam.splits or [split for split in data.splits if split not in settings.evaluation.splits]
    trained = [entry for entry in data.entries.values() if entry.split in splits and set(entry.tags) <= set(classes)]
    trained = [entry for entry in trained if entry.sha256 and (entry.tags or settings.dataset.untagged != "reject")]
    found = {entry.tags for entry in trained}
    if len(found) == 1:
        [tags] = found
        shown = f"all are tagged {', '.join(tags)}" if tags else "none is tagged"
        raise UserError(
            f"{where}cam: the training images have the same tags ({shown}), so that nothing tells a class from what is "
            "around it; add photographs without it, with empty tags and dataset.untagged: background"
        )
    images: dict[str, set[str]] = {name: set() for name in classes}
    for entry in trained:
        for tag in entry.tags:
            images[tag].add(entry.id)
    if empty := [name for name in classes if not images[name]]:
        raise UserError(
            f"{where}cam: no training image is tagged {', '.join(empty)}; add photographs of it, or take it out of "
            "classes.txt (the label values of the classes after it then change)"
        )
    return notes_on_tags(images, len(trained))


def notes_on_tags(images: Mapping[str, set[str]], trained: int) -> list[str]:
    """Notes on classes that are in every training image, in few, or never without another.

    Args:
        images: class -> ids of the training images that are tagged with it.
        trained: number of training images.
    """
    notes = []
    if full := [name for name, found in images.items() if len(found) == trained]:
        notes.append(
            f"cam: every training image is tagged {some(full)}: nothing tells it from what is around it; add "
            "photographs without it"
        )
    if few := [f"{name} ({len(found)})" for name, found in images.items() if len(found) < FEW]:
        notes.append(f"cam: fewer than {FEW} training images are tagged {some(few)}: add photographs of it")
    together = [
        f"{one} and {other} are never apart" if images[one] == images[other] else f"{one} is never without {other}"
        for one, other in permutations([name for name in images if name not in full], 2)
        if images[one] < images[other] or (images[one] == images[other] and one < other)
    ]
    if together:
        notes.append(
            f"cam: tags cannot tell which is which where, in the training images, {some(together)}; add "
            "photographs that show one without the other"
        )
    return notes


def unscored_masks(settings: StageSettings, data: Scan) -> list[str]:
    """A note on splits whose masks no score uses."""
    evaluation = settings.evaluation
    labelled = evaluation.label_splits or [split for split in data.splits if split not in evaluation.splits]
    scored = {*labelled, *evaluation.splits}
    found = [split for split in data.splits if split not in scored and data.has_masks(split)]
    return [f"evaluation: the masks of split {some(found)} are scored nowhere"] if found else []


def check_rounds(where: str, variant: str, variants: Mapping[str, StageSettings], data: Scan) -> None:
    """Check that a variant's held-out splits are held out of its earlier rounds, too, which its labels are made from.

    Args:
        where: start of the message.
        variant: its name.
        variants: name -> settings, free of circles.
        data: the scanned data set.

    Raises:
        UserError: a training of an earlier round learns from a split that this variant holds out.
    """
    held_out, earlier = variants[variant].evaluation.splits, earlier_round(variants[variant])
    while earlier:
        settings = variants[earlier]
        for stage in reversed(stages_of(settings)):
            training = getattr(settings, stage)
            if not STAGES[stage].trains(training):
                continue
            learnt = training.splits or [split for split in data.splits if split not in settings.evaluation.splits]
            both = [split for split in learnt if split in held_out]
            if both:
                raise UserError(
                    f"{where}evaluation.splits: {', '.join(both)} is held out, but {stage} of variant {earlier}, the "
                    "round before, trains on it: held-out means unseen"
                )
        earlier = earlier_round(settings)


def check_corrections(data: Scan, drawn: dict[str, Path], classes: list[str]) -> None:
    """Check that corrections fit their images (size, colours, classes), before the training that precedes trimaps.

    Args:
        data: the scanned data set.
        drawn: image id -> its correction.
        classes: the class names.

    Raises:
        UserError: some do not; a line each, which names the place.
    """
    from matlabel.dataset.images import load_image
    from matlabel.trimaps.corrections import read_correction

    problems = []
    for image_id, path in drawn.items():
        entry = data.entries[image_id]
        if not set(entry.tags) <= set(classes):
            continue  # the stage dataset rejects it
        try:
            shape = load_image(data.folder, entry, data.max_pixels).shape[:2]
        except UserError:
            continue  # the stage dataset names it, and rejects it or not
        try:
            read_correction(path, shape, tag_indices(entry, classes), classes)
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))


def check_maps(data: Scan, maps: dict[str, Path], classes: list[str], folder: Path) -> None:
    """Check that some user-supplied maps fit their images: names, shapes, ranges. The stage activations checks all.

    Args:
        data: the scanned data set.
        maps: image id -> its maps.
        classes: the class names.
        folder: where they lie.

    Raises:
        UserError: some do not; a line each, of the first five. Or most of them say nothing.
    """
    from matlabel.activations.maps_file import MOST_BYTES, read_maps
    from matlabel.activations.silent import SilentMaps
    from matlabel.dataset.images import load_image

    problems, silent = [], SilentMaps()
    for image_id, path in maps.items():
        entry = data.entries[image_id]
        try:
            size = load_image(data.folder, entry, data.max_pixels).shape[:2]
        except UserError:
            continue  # the stage dataset names it, and rejects it or not
        labels = tag_indices(entry, classes)
        try:
            found = read_maps(path, read_bytes(path, MOST_BYTES), labels, classes, 1.0, size)
        except UserError as error:
            problems.append(str(error))
            if len(problems) == _NAMED:
                break
            continue
        silent.add(image_id, labels, found.silent, classes)
    if problems:
        raise UserError("\n".join(problems))
    silent.refuse(str(folder))


def check_mattes(where: str, settings: StageSettings) -> None:
    """Check that the matting method's optional packages and weights are there.

    Raises:
        UserError: a package is missing, or vitmatte has no network, or one whose name is no input of a rule.
    """
    method = settings.mattes.method
    package, extra = PACKAGES.get(method, (None, None))
    if package and not find_spec(package):
        raise UserError(f'{where}mattes.method: {method} needs {package}: pip install "matlabel[{extra}]"')
    if method != "vitmatte":
        return
    source = settings.mattes.weights
    if not source:
        raise UserError(
            f"{where}mattes.weights: method vitmatte needs a network; give its folder, or its name on a hub"
        )
    # Else a mistyped folder is taken for the name of a repository, and asked for on the hub by the first job.
    if not Path(source).is_dir() and (not ON_HUB.fullmatch(source) or Path(source).parent.is_dir()):
        raise UserError(
            f"{where}mattes.weights: no such folder: {source}, and not the name of a repository on the hub (owner/name)"
        )
    for file in [source, *(Path(source).iterdir() if Path(source).is_dir() else ())]:
        check_name(f"{where}mattes.weights", file)
