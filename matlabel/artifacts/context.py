"""`settings.yaml` of an artifact folder: the settings that make its key, and what else a job must know."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from matlabel.artifacts.errors import UserError, cut
from matlabel.artifacts.format import FORMAT, KEY
from matlabel.artifacts.yaml_files import read_yaml

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Context(Generic[Model]):
    """One artifact folder's stage, key and settings."""

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

    def runs(self, path: Path) -> list[dict[str, Any]]:
        """The runs that report or ablation compares: {"variant", "seed", "keys": {stage: key}, ...} of each.

        Args:
            path: of the settings file, for the message.

        Raises:
            UserError: it names none.
        """
        found = self.raw.get("runs")
        for run in found if isinstance(found, list) else [None]:
            keys = run.get("keys") if isinstance(run, dict) else None
            if not (isinstance(keys, dict) and "variant" in run and isinstance(run.get("seed"), int)):
                raise UserError(f"{path}: runs must be a list of variant, seed and keys; delete the file and run again")
            wrong = next((key for key in keys.values() if not KEY.fullmatch(str(key))), None)
            if wrong is not None or not {"evaluation", "labels"} <= keys.keys():
                raise UserError(f"{path}: runs: {cut(keys)} are no keys of artifacts; delete the file and run again")
        return found or []


def load_context(path: str | Path, stage: str, model: type[Model]) -> Context[Model]:
    """Read the settings file of `stage`.

    Raises:
        UserError: missing, not YAML, of another version or stage, not what the driver writes, or with a value that
            `model` refuses.
    """
    raw = read_yaml(path, most=None)
    if raw.get("format") != FORMAT:
        raise UserError(
            f"{path}: made by another version of matlabel (format {raw.get('format', 'unknown')!s:.20}, this one reads "
            f"{FORMAT}); run snakemake to make the artifacts anew beside it"
        )
    if raw.get("stage") != stage:
        raise UserError(f"{path}: settings of stage {raw.get('stage')!s:.100}, expected {stage}")
    known = {
        "key": (str, None),
        "classes": (list, None),
        "seed": (int, 0),
        "upstream": (dict, {}),
        "settings": (dict, {}),
    }
    values = {name: raw.get(name, default) for name, (_, default) in known.items()}
    for name, (kind, _) in known.items():
        if not isinstance(values[name], kind):
            raise UserError(
                f"{path}: {name} must be a {kind.__name__}, not {cut(values[name])}; delete the file and run again"
            )
    try:
        settings = model.model_validate(values["settings"])
    except ValidationError as error:
        problem = error.errors()[0]
        raise UserError(f"{path}: settings.{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error
    return Context(
        stage=stage,
        key=values["key"],
        classes=[str(name) for name in values["classes"]],
        seed=values["seed"],
        settings=settings,
        upstream=values["upstream"],
        raw={**raw, "settings": values["settings"]},
    )
