"""Loading a run's scores, histories and settings from results/<stage>/<key>/."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import Inputs
from matlabel.artifacts.reading import read_text
from matlabel.artifacts.scores import read_scores, score
from matlabel.artifacts.yaml_files import read_yaml
from matlabel.stages import LAST, TRAININGS

EARLIER = "an earlier round: "


@dataclass(frozen=True)
class Run:
    """One variant with one random seed.

    Attributes:
        keys: stage -> key.
        scores: scores.json of its evaluation.
        classes: rows of per_class.csv, background first.
        images: rows of per_image.csv.
        curves: column of curves.csv -> float64[256], NaN where there is no value.
        histories: training -> column of history.csv -> float64[rows].
        supervised: whether its labels are the true masks.
        beyond_tags: in words, what it has learned from besides image-level tags; None if nothing.
        held_out_labelled: whether the held-out images have pseudo-labels, too.
    """

    variant: str
    seed: int
    keys: dict[str, str]
    scores: dict[str, Any]
    classes: list[dict[str, str]]
    images: list[dict[str, str]]
    curves: dict[str, np.ndarray]
    histories: dict[str, dict[str, np.ndarray]]
    supervised: bool
    beyond_tags: str | None
    held_out_labelled: bool

    @property
    def name(self) -> str:
        """Variant and random seed as text."""
        return f"{self.variant}, seed {self.seed}"

    def value(self, *path: str) -> Any:
        """A score by its path in scores.json; None where it, or a section above it, is missing."""
        return score(self.scores, *path)


def load_run(entry: dict[str, Any], results: Path, inputs: Inputs) -> Run:
    """Read the scores, curves and histories of one entry of the report's `runs`.

    Raises:
        UserError: the evaluation is missing.
    """
    keys = dict(entry["keys"])
    scores = folder_of(results, LAST.name, keys) / LAST.main
    histories = {}
    for stage in TRAININGS:
        if stage in keys:
            path = folder_of(results, stage, keys) / "history.csv"
            # Frozen weights were not trained here and have no history.
            if path.exists():
                histories[stage] = _columns(path, inputs)
    supervised = settings_of(results, "labels", keys["labels"]).get("source") == "masks"
    return Run(
        variant=str(entry["variant"]),
        seed=int(entry["seed"]),
        keys=keys,
        scores=_scores(scores, inputs),
        classes=_rows(scores.with_name("per_class.csv"), inputs),
        images=_rows(scores.with_name("per_image.csv"), inputs),
        curves=_columns(scores.with_name("curves.csv"), inputs),
        histories=histories,
        supervised=supervised,
        beyond_tags=beyond_tags(results, keys["labels"]),
        held_out_labelled=bool(entry.get("held_out_labelled")),
    )


def folder_of(results: Path, stage: str, keys: dict[str, str]) -> Path:
    """The folder of a stage's artifacts."""
    return results / stage / keys[stage]


def settings_of(results: Path, stage: str, key: str) -> dict[str, Any]:
    """The settings of an artifact folder.

    Raises:
        UserError: there is no such folder.
    """
    return _settings_file(results, stage, key).get("settings") or {}


def beyond_tags(results: Path, labels: str) -> str | None:
    """A sentence on supervision beyond image-level tags; None if there is none.

    Args:
        results: the folder of all artifacts.
        labels: their key; second rounds are followed back to the first.
    """
    if settings_of(results, "labels", labels).get("source") == "masks":
        return "trained on true masks: more than tags"
    mattes = _upstream(results, "labels", labels)["mattes"]
    if settings_of(results, "mattes", mattes).get("method") == "vitmatte":
        return "ViTMatte was trained on alpha mattes: more than tags"
    activations = _upstream(results, "mattes", mattes).get("activations")
    if activations is None:
        return None
    if str(settings_of(results, "activations", activations).get("source")).startswith("files:"):
        return "activations from files: what they were learned from is not known here"
    segmenter = _upstream(results, "activations", activations).get("segmenter")
    if segmenter is None:
        return None
    before = beyond_tags(results, _upstream(results, "segmenter", segmenter)["labels"])
    return before and f"{EARLIER}{before.removeprefix(EARLIER)}"


def number(text: str | None) -> float | None:
    """A cell of a CSV as a number; None if it is empty."""
    return float(text) if text else None


def _upstream(results: Path, stage: str, key: str) -> dict[str, str]:
    return _settings_file(results, stage, key).get("upstream") or {}


def _settings_file(results: Path, stage: str, key: str) -> dict[str, Any]:
    path = results / stage / key / "settings.yaml"
    if not path.exists():
        raise UserError(f"{path}: missing; run the stage {stage} first")
    found = read_yaml(path, most=None)
    for name in ("settings", "upstream"):
        if not isinstance(found.get(name) or {}, dict):
            raise UserError(f"{path}: {name} must be a block of keys; delete it and run again")
    return found


def _scores(path: Path, inputs: Inputs) -> dict[str, Any]:
    _add(path, inputs)
    return read_scores(path)


def _rows(path: Path, inputs: Inputs) -> list[dict[str, str]]:
    _add(path, inputs)
    rows = list(csv.DictReader(io.StringIO(read_text(path), newline="")))
    if any(None in row or None in row.values() for row in rows):
        raise UserError(f"{path}: a line has more or fewer cells than the first; delete it and run again")
    return rows


def _add(path: Path, inputs: Inputs) -> None:
    if not path.exists():
        raise UserError(f"{path}: missing; run the stage {path.parent.parent.name} first")
    inputs.add(path)


def _columns(path: Path, inputs: Inputs) -> dict[str, np.ndarray]:
    rows = _rows(path, inputs)
    names = rows[0] if rows else []
    try:
        return {name: np.array([float(row[name]) if row[name] else np.nan for row in rows]) for name in names}
    except ValueError as error:
        raise UserError(f"{path}: {error!s:.200}; delete it and run again") from error
