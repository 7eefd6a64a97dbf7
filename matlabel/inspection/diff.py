"""In which settings two variants, runs or artifacts differ, and from which stage on their artifacts do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from matlabel.artifacts.errors import UserError
from matlabel.inspection.settings_of import Side, StageSide
from matlabel.settings.base import Settings
from matlabel.settings.config import StageSettings
from matlabel.stages import position

_ROW = "  {:<20} {:<10} {:<10} {}"


@dataclass(frozen=True)
class StageDifference:
    """One stage of both sides.

    Attributes:
        stage: its name; of an earlier round `before: <stage>`.
        keys: of A and of B; None where a side has no such stage.
        settings: dotted name -> (value in A, value in B) where they differ; a name in brackets is no setting but
            makes the key as well: seed, splits, classes.
        unknown: whether a side's settings.yaml is gone, so that nothing but the key is known.
    """

    stage: str
    keys: tuple[str | None, str | None]
    settings: dict[str, tuple[Any, Any]]
    unknown: bool = False

    @property
    def same(self) -> bool:
        """Whether both sides have the same artifacts here."""
        return self.keys[0] == self.keys[1]


def differences(a: Side, b: Side) -> list[StageDifference]:
    """Stage by stage, in order, those of earlier rounds first.

    Raises:
        UserError: artifacts of different stages, which have no settings in common.
    """
    if a.last != b.last and a.last and b.last:
        raise UserError(f"{a.name} and {b.name} are artifacts of different stages; name two of one stage, or variants")
    for side, other in ((a, b), (b, a)):
        if side.last and not other.last and side.last not in other.stages:
            raise UserError(f"{other.name} has no stage {side.last}, so there is nothing to hold {side.name} against")
    stages = {**a.stages, **b.stages}
    if last := a.last or b.last:
        # A variant against an artifact: what comes after the artifact's stage does not matter.
        stages = {stage: side for stage, side in stages.items() if _order(stage) <= _order(last)}
    return [_difference(stage, a.stages.get(stage), b.stages.get(stage)) for stage in sorted(stages, key=_order)]


def diff_text(a: Side, b: Side) -> str:
    """The differences as lines: a stage each with both keys, below it the settings that differ."""
    return "\n".join(_lines(a, b))


def _lines(a: Side, b: Side) -> Iterator[str]:
    found = differences(a, b)
    yield f"A: {a.name}"
    yield f"B: {b.name}"
    differing = [stage for stage in found if not stage.same]
    # A stage that only one side has, as an earlier round, is no place where the two part.
    first = next((stage.stage for stage in differing if None not in stage.keys), None)
    for stage in found:
        keys = [key or "-" for key in stage.keys]
        note = "from here on the artifacts differ" if stage.stage == first else ""
        yield _ROW.format(stage.stage, keys[0], "as A" if stage.same else keys[1], note).rstrip()
        if stage.unknown and not stage.same:
            yield "    settings.yaml is gone: which settings differ is not known"
        for name, (left, right) in stage.settings.items():
            free = "" if name not in _free(stage.stage) else "  (which leaves the results as they are)"
            yield f"    {_called(stage.stage, name)}: {_value(left)} -> {_value(right)}{free}"
    if not differing:
        yield "The same artifacts."


def _difference(stage: str, a: StageSide | None, b: StageSide | None) -> StageDifference:
    keys = (a.key if a else None, b.key if b else None)
    if a is None or b is None:
        return StageDifference(stage, keys, {})
    if a.values is None or b.values is None:
        return StageDifference(stage, keys, {}, unknown=True)
    names = [*a.values, *(name for name in b.values if name not in a.values)]
    if a.stored or b.stored:
        # settings.yaml holds what makes the key: whether the rest differs is not known.
        names = [name for name in names if name not in _free(stage)]
    pairs = {name: (a.values.get(name), b.values.get(name)) for name in names}
    return StageDifference(stage, keys, {name: pair for name, pair in pairs.items() if pair[0] != pair[1]})


def _order(stage: str) -> tuple[int, int]:
    name = stage.rpartition(" ")[2]
    return -stage.count("before:"), position(name)


def _called(stage: str, name: str) -> str:
    return name.strip("()") if name.startswith("(") else f"{stage.rpartition(' ')[2]}.{name}"


def _value(value: Any) -> str:
    if isinstance(value, bool | None):
        return {True: "true", False: "false", None: "-"}[value]
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def _free(stage: str) -> set[str]:
    """Settings of a stage that make no key."""
    found = StageSettings.model_fields.get(stage.rpartition(" ")[2])
    model = found.annotation if found else Settings
    return {
        field.alias or name
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("free")
    }
