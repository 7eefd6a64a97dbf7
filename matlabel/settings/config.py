"""The whole config: a block a stage, variants and seeds; validated before anything runs."""

import copy
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from matlabel.artifacts.errors import UserError, cut, did_you_mean
from matlabel.settings.activations import ActivationsSettings
from matlabel.settings.base import Settings
from matlabel.settings.cam import CamSettings
from matlabel.settings.dataset import DatasetSettings
from matlabel.settings.evaluation import EvaluationSettings
from matlabel.settings.labels import LabelsSettings
from matlabel.settings.mattes import MattesSettings
from matlabel.settings.predictions import PredictionsSettings
from matlabel.settings.report import ReportSettings
from matlabel.settings.segmenter import SegmenterSettings
from matlabel.settings.trimaps import TrimapsSettings

# Where a value may be of several kinds, pydantic says which it tried.
_TRIED = re.compile(r"(?:literal|constrained|function|lax|list|dict|nullable)[-\[].*")
# Characters of a key in a message.
_LONG = 64
# Mistakes that are named; the others are counted.
_SHOWN = 20
# A variant is a folder in results/runs.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.+-]{,63}")


class StageSettings(Settings):
    """The settings of every stage: what one variant is."""

    dataset: DatasetSettings = DatasetSettings()
    cam: CamSettings = CamSettings()
    activations: ActivationsSettings = ActivationsSettings()
    trimaps: TrimapsSettings = TrimapsSettings()
    mattes: MattesSettings = MattesSettings()
    labels: LabelsSettings = LabelsSettings()
    segmenter: SegmenterSettings = SegmenterSettings()
    predictions: PredictionsSettings = PredictionsSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    report: ReportSettings = ReportSettings()

    @model_validator(mode="after")
    def _embedding_is_trained(self) -> "StageSettings":
        reads = self.activations.read
        needed = self.labels.source == "mattes" and self.activations.kind == "cam" and reads != "maps"
        if needed and not (self.cam.embeds or self.cam.weights_from):
            raise ValueError(
                f"activations.from is {reads}, but no term trains an embedding: "
                "set activations.from: maps, or cam.category or cam.foreground above 0"
            )
        return self

    @model_validator(mode="after")
    def _a_classifier_is_there_to_start_from(self) -> "StageSettings":
        source = self.activations.source
        starts = self.segmenter.train and self.segmenter.weights == "cam"
        if starts and self.labels.source == "mattes" and self.activations.kind != "cam":
            raise ValueError(
                f"segmenter.weights is cam, but with activations.source {source} no classifier is trained: "
                "set segmenter.weights to imagenet, none or a state_dict file"
            )
        return self

    @model_validator(mode="after")
    def _masks_have_no_alphas(self) -> "StageSettings":
        if self.labels.source == "masks" and self.segmenter.target == "soft":
            raise ValueError("segmenter.target soft learns from mattes, but labels.source is masks: set target: labels")
        return self

    @model_validator(mode="after")
    def _held_out_stays_out(self) -> "StageSettings":
        for name, splits in (
            ("cam.splits", self.cam.splits),
            ("segmenter.splits", self.segmenter.splits),
            ("evaluation.label_splits", self.evaluation.label_splits),
        ):
            both = sorted(set(splits or []) & set(self.evaluation.splits))
            if both:
                raise ValueError(f"{name} and evaluation.splits share {', '.join(both)}: held-out means unseen")
        return self


class Config(StageSettings):
    """What the config file holds."""

    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Where networks run.")
    seeds: list[Annotated[int, Field(ge=0, lt=2**32)]] = Field(
        [0], min_length=1, max_length=1000, description="Each variant is trained once with each seed."
    )
    variants: dict[str, dict[str, Any] | None] = Field(
        {}, description="Name -> settings that differ. None given: one, called default. Given: only those."
    )

    @field_validator("variants")
    @classmethod
    def _names_are_file_names(cls, variants: dict[str, Any]) -> dict[str, Any]:
        folded: dict[str, str] = {}
        for name, changes in variants.items():
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"variant name {cut(name)}: letters, digits, _ . + - only, the first a letter, 64 at most"
                )
            if folded.setdefault(name.lower(), name) != name:
                raise ValueError(
                    f"variants {folded[name.lower()]} and {name} differ by case alone: on some disks that is one folder"
                )
            for fixed in ("dataset", "report"):
                if fixed in (changes or {}):
                    raise ValueError(f"variant {name}: {fixed} is shared by all variants, set it outside")
        return {name: changes or {} for name, changes in variants.items()}

    @field_validator("seeds")
    @classmethod
    def _seeds_differ(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed is named twice")
        return seeds


Block = TypeVar("Block", bound=Settings)


def load_config(raw: Mapping[str, Any]) -> tuple[Config, dict[str, StageSettings]]:
    """Validate a config and the settings of each of its variants.

    Returns:
        the config, and variant name -> its full settings.

    Raises:
        UserError: one line naming each key that is wrong and what it takes.
    """
    config = validated(Config, dict(raw), "config")
    base = {name: raw[name] for name in StageSettings.model_fields if name in raw}
    changes = config.variants or {"default": {}}
    variants = {
        name: validated(StageSettings, _merge(base, change), f"config, variant {name}" if config.variants else "config")
        for name, change in changes.items()
    }
    return config, variants


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(dict(base))
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def validated(model: type[Block], raw: dict[str, Any], where: str) -> Block:
    """Validated settings from these values.

    Args:
        model: of the settings.
        raw: key -> value, blocks of keys within.
        where: start of each line of the message.

    Raises:
        UserError: a line for each key that is wrong; of many, the first.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        found: dict[str, list[Any]] = {}
        for problem in error.errors():
            found.setdefault(_key(problem), []).append(problem)
        lines = [f"{where}: {_explain(model, key, problems)}" for key, problems in found.items()]
        more = [f"{where}: ... and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        raise UserError("\n".join(lines[:_SHOWN] + more)) from error


def _key(problem: Any) -> str:
    """The path of a setting, without pydantic's markers of union members and keys."""
    path = [str(part) for part in problem["loc"]]
    path = [part for part in path if part != "[key]" and not _TRIED.match(part)]
    return ".".join(part if len(part) <= _LONG else f"{part[:_LONG]}..." for part in path)


def _explain(model: type[Settings], key: str, problems: list[Any]) -> str:
    """What is wrong with one setting; several problems where no member of a union fits."""
    problem = problems[0]
    path = [str(part) for part in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        known = _keys_beside(model, path)
        return f"unknown key {key}{did_you_mean(path[-1], known)}; known here: {', '.join(known)}"
    if problem["type"] in ("model_type", "dict_type"):
        return f"{key} must be a block of keys, not {cut(problem['input'])}"
    messages = [each["msg"].removeprefix("Value error, ")[:300] for each in problems]
    if problem["type"] == "value_error":
        return f"{key}: {messages[0]}" if key else messages[0]
    said = " or ".join(message[0].lower() + message[1:] for message in dict.fromkeys(messages))
    return f"{key}: {said}, not {cut(problem['input'])}"


def _keys_beside(model: type[Settings], path: list[str]) -> list[str]:
    for part in path[:-1]:
        field = model.model_fields.get(part)
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, Settings)):
            return []
        model = field.annotation
    return [field.alias or name for name, field in model.model_fields.items()]
