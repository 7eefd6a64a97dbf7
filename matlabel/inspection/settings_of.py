"""The settings of a chain of artifacts, from a plan or, by keys alone, from the settings.yaml files in results/."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matlabel.artifacts.context import load_context
from matlabel.artifacts.errors import UserError, cut, did_you_mean
from matlabel.runs import Plan
from matlabel.settings.base import Settings
from matlabel.settings.config import StageSettings
from matlabel.stages import FIRST, STAGES, position

# More rounds than anybody runs: settings files that name each other would go on for ever.
_ROUNDS = 20
_PREFIX = re.compile(r"[0-9a-f]{4,8}")
_RUN = re.compile(r"(.+)/seed-(\d+)")


@dataclass(frozen=True)
class StageSide:
    """One stage of one side of a comparison.

    Attributes:
        key: of its artifacts.
        values: dotted name -> value, defaults filled in; None where its settings.yaml is gone.
        stored: whether they were read from settings.yaml, which holds what makes the key and nothing else.
    """

    key: str
    values: dict[str, Any] | None
    stored: bool = False


@dataclass
class Side:
    """The settings and keys of one side of a comparison, stage by stage.

    Attributes:
        name: for people.
        last: the stage that was asked for; "" for a whole variant.
        stages: stage -> its key and settings; those of an earlier round are called `before: <stage>`.
    """

    name: str
    last: str = ""
    stages: dict[str, StageSide] = field(default_factory=dict)


def side_of(name: str, plan: Plan | None, results: Path) -> Side:
    """The side named by a variant, by `variant/seed-n`, or by a key or the beginning of one.

    Args:
        name: as the user gave it.
        plan: of the config; None to go by the keys in `results` alone.
        results: the results folder.

    Raises:
        UserError: it is none of these, a beginning of several keys, or a settings.yaml that is none.
    """
    if plan is not None:
        run, seed = (found[1], int(found[2])) if (found := _RUN.fullmatch(name)) else (name, plan.config.seeds[0])
        if (run, seed) in plan.chains:
            side = Side(f"{run}, seed {seed}")
            # The last stage of a chain leads to all others, but for what it does not read.
            for key in reversed(plan.chains[run, seed].values()):
                _add_planned(side, plan, key, "")
            return side
    if _PREFIX.fullmatch(name):
        return _of_key(name, plan, results)
    runs = [f"{variant}/seed-{seed}" for variant, seed in plan.chains] if plan else []
    names = list(plan.variants) if plan else []
    hint = did_you_mean(name, names + runs) or (f"; the variants are {', '.join(names)}" if names else "")
    raise UserError(f"{name}: no variant of the config, no variant/seed-n and no key (4 to 8 hex digits){hint}")


def needs_config(name: str) -> bool:
    """Whether a name can only be a variant's."""
    return not _PREFIX.fullmatch(name)


def _of_key(prefix: str, plan: Plan | None, results: Path) -> Side:
    found: dict[str, str] = {key: node.stage for key, node in plan.nodes.items()} if plan else {}
    for file in results.glob("*/*/settings.yaml"):
        if file.parent.parent.name != "runs":
            found.setdefault(file.parent.name, file.parent.parent.name)
    fitting = sorted(key for key in found if key.startswith(prefix))
    if len(fitting) != 1:
        what = f"begins {len(fitting)} keys: {', '.join(fitting)}" if fitting else "begins no key"
        raise UserError(f"{prefix}: {what} of this config or below {results}/")
    key = fitting[0]
    side = Side(f"{found[key]} {key}", found[key])
    if plan is not None and key in plan.nodes:
        _add_planned(side, plan, key, "")
    else:
        _add_stored(side, results, found[key], key, "")
    return side


def _add_planned(side: Side, plan: Plan, key: str, before: str) -> None:
    node = plan.node(key)
    if before + node.stage in side.stages:
        return
    values = {**_flat(node.settings.model_dump(mode="json", by_alias=True)), **_beside(node.payload)}
    side.stages[before + node.stage] = StageSide(key, values)
    for stage, upstream in node.upstream.items():
        _add_planned(side, plan, upstream, _round(before, stage, node.stage))


def _add_stored(side: Side, results: Path, stage: str, key: str, before: str) -> None:
    if before + stage in side.stages:
        return
    if before.count("before") > _ROUNDS:
        raise UserError(
            f"{results / stage / key}: read by over {_ROUNDS} rounds after it; its settings lead to themselves"
        )
    file = results / stage / key / "settings.yaml"
    if not file.exists():
        side.stages[before + stage] = StageSide(key, None)
        return
    context = load_context(file, stage, _model(stage))
    values = {**_flat(context.settings.model_dump(mode="json", by_alias=True)), **_beside(context.raw)}
    side.stages[before + stage] = StageSide(key, values, stored=True)
    for name, upstream in context.upstream.items():
        if name not in STAGES or not _PREFIX.fullmatch(str(upstream)):
            raise UserError(f"{file}: upstream: {cut(name)} is no stage, or {cut(upstream)} no key")
        _add_stored(side, results, name, upstream, _round(before, name, stage))


def _round(before: str, upstream: str, stage: str) -> str:
    """The name of an upstream stage, marked if of an earlier round: `upstream` comes after `stage` in their order."""
    return f"before: {before}" if position(upstream) > position(stage) else before


def _model(stage: str) -> type[Settings]:
    found = StageSettings.model_fields.get(stage)
    return found.annotation if found and isinstance(found.annotation, type) else Settings


def _beside(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What enters a key beside settings and upstream keys: random seed, splits, classes, runs."""
    known = ("format", "stage", "settings", "upstream", "key", "runs")
    # The driver repeats the data set's classes in every settings.yaml; they make only the data set's key.
    known += () if payload["stage"] == FIRST.name else ("classes",)
    beside = _flat({name: value for name, value in payload.items() if name not in known})
    for run in payload.get("runs", []):
        beside[f"{run['variant']}, seed {run['seed']}"] = run["keys"]
    return {f"({name})": value for name, value in beside.items()}


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    return dict(_leaves(values, before))


def _leaves(values: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{before}{name}.")
        else:
            yield before + name, value
