"""Reading scores.json of the stage evaluation and check.json of the stage cam, and their schemas."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from matlabel.artifacts.errors import UserError, cut
from matlabel.artifacts.reading import read_json

Shares = dict[str, float | None]


def score(scores: Mapping[str, Any], *path: str) -> Any:
    """A score by its path in scores.json; None where it, or a section above it, is missing."""
    found: Any = scores
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def read_scores(path: Path) -> dict[str, Any]:
    """A scores.json whose values are of the types that evaluation writes; what is missing is missing.

    Raises:
        UserError: it cannot be read, or somebody else has written it.
    """
    return _checked(path, read_json(path), Scores, "evaluation")


def read_check(path: Path) -> dict[str, Any] | None:
    """check.json of a classifier; None for one that was taken over.

    Raises:
        UserError: as `read_scores`.
    """
    found = read_json(path, object)
    return None if found is None else _checked(path, found, Check, "cam")


def warnings_of(path: Path, name: str) -> list[str]:
    """The warnings of a scores.json, a line each that begins with `name`; none where there is no such file.

    Raises:
        UserError: as `read_scores`.
    """
    return [f"{name}: {text}" for text in read_scores(path).get("warnings") or []] if path.exists() else []


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Scored(_Part):
    images: int | None = None
    miou: float | None = None
    iou: Shares | None = None
    pixel_accuracy: float | None = None
    void_share: float | None = None
    boundary_iou: float | None = None
    boundary: Shares | None = None
    band_miou: float | None = None
    interval: list[float] | None = Field(None, min_length=2, max_length=2)
    on: str | None = None


class _Labels(_Scored):
    all: _Scored | None = None


class _Seed(_Part):
    threshold: float | None = None
    tuning: _Scored | None = None
    scoring: _Scored | None = None


class _Trimaps(_Part):
    object_precision: float | None = None
    object_recall: float | None = None
    background_precision: float | None = None
    unknown_share: float | None = None
    precision: Shares | None = None
    recall: Shares | None = None
    unknown: Shares | None = None


class _Enforced(_Part):
    images: int | None = None
    regions: int | None = None
    share: float | None = None
    by_class: dict[str, int] | None = None


class _WithoutMasks(_Part):
    void_share: float | None = None
    margin: float | None = None
    unknown_share: float | None = None
    cover: float | None = None
    enforced: _Enforced | None = None


class _Look(_Part):
    model_config = ConfigDict(allow_inf_nan=True)

    loss: float
    without_region: float | None = None
    without_region_shuffled: float | None = None


class Check(_Part):
    """check.json, as the stage cam describes it."""

    model_config = ConfigDict(allow_inf_nan=True)

    images: int
    classes: int
    loss: float
    mean_ap: float
    mean_ap_shuffled: float
    mean_ap_deviation: float
    by_class: Shares | None = None
    look: _Look | None
    steps: int | None = None
    began: int | None = None
    held_back: int | None = None
    plain: str | None
    objection: str | None


class Scores(_Part):
    """scores.json, as the stage evaluation describes it."""

    void: str | None = None
    boundary: float | None = None
    band: int | None = None
    bootstrap: int | None = None
    classes: list[str] | None = None
    images: dict[str, int | None] | None = None
    seed: _Seed | None = None
    seed_unspread: _Seed | None = None
    winner: _Scored | None = None
    trimaps: _Trimaps | None = None
    mattes: _Scored | None = None
    labels: _Labels | None = None
    predictions: _Scored | None = None
    better: int | None = None
    worse: int | None = None
    without_masks: _WithoutMasks | None = None
    check: Check | None = None
    doubted_tags: int | None = None
    look: int | None = None
    warnings: list[str] | None = None

    @model_validator(mode="after")
    def _what_was_scored_says_on_how_many(self) -> Self:
        counts = self.images or {}
        needed = [counts.get("scoring"), counts.get("tuning"), self.boundary] if self.seed else []
        needed += [counts.get("scoring"), counts.get("tuning")] if counts.get("with_masks") else []
        needed += [self.predictions.images] if self.predictions else []
        if None in needed:
            raise ValueError("scores without the number of images, or without boundary")
        return self


def _checked(path: Path, found: Any, model: type[BaseModel], stage: str) -> Any:
    try:
        model.model_validate(found)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])[:200]
        found = "missing" if problem["type"] == "missing" else cut(problem["input"])
        said = f"{name} is {found}" if name else problem["msg"].removeprefix("Value error, ")[:200]
        raise UserError(f"{path}: {said}: not what {stage} writes; delete it and run again") from error
    return found
