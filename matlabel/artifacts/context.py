"""`settings.yaml` of an artifact folder: the settings that made the key, and what a job needs to know beside them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from matlabel.artifacts.errors import UserError

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Context(Generic[Model]):
    """One stage's address and settings."""

    stage: str
    key: str
    classes: list[str]
    seed: int
    settings: Model
    upstream: dict[str, str]
    raw: dict[str, Any]

    @property
    def shard_attributes(self) -> dict[str, Any]:
        """The root attributes of the shards that this stage writes."""
        return {"stage": self.stage, "key": self.key, "classes": self.classes, "settings": self.raw["settings"]}


def load_context(path: str | Path, stage: str, model: type[Model]) -> Context[Model]:
    """Read the settings file of `stage`.

    Raises:
        UserError: missing, not YAML, of another stage, or with a value that `model` refuses.
    """
    try:
        raw = yaml.safe_load(Path(path).read_text())
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such settings file") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML ({error})") from error
    if not isinstance(raw, dict) or raw.get("stage") != stage:
        found = raw.get("stage") if isinstance(raw, dict) else None
        raise UserError(f"{path}: settings of stage {found}, expected {stage}")
    try:
        settings = model.from_keyed(raw.get("settings") or {})
    except ValidationError as error:
        problem = error.errors()[0]
        raise UserError(f"{path}: settings.{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error
    return Context(
        stage=stage,
        key=raw["key"],
        classes=list(raw["classes"]),
        seed=int(raw.get("seed", 0)),
        settings=settings,
        upstream=dict(raw.get("upstream") or {}),
        raw=raw,
    )
