"""The status as a table of 100 columns."""

from collections.abc import Iterator

from matlabel.artifacts.format import foreign_note
from matlabel.inspection.readable import seconds_text, size_text, time_text
from matlabel.inspection.status import StageState, Status

_ROW = "  {:<11} {:<8}  {:<21} {:>9}  {:<16}  {:>12}"
_WIDTH = 100
_INDENT = " " * 23


def status_text(status: Status) -> str:
    """A block a variant and random seed, a line a stage, its reasons below; at the end what a run would start."""
    return "\n".join(_lines(status))


def _lines(status: Status) -> Iterator[str]:
    yield _ROW.format("stage", "key", "state", "size", "written", "took").rstrip()
    told: dict[str, str] = {}
    for (variant, seed), keys in status.chains.items():
        name = f"{variant}, seed {seed}"
        yield name
        for key in keys.values():
            yield from _stage(status.stages[key], told.get(key))
            told.setdefault(key, name)
    yield "all of them"
    yield from _stage(status.stages[status.report], None)
    yield ""
    jobs = ", ".join(f"{rule} {count}" for rule, count in status.jobs.items())
    words = "Still to do" if status.locked else "A run would start"
    yield f"{words}: {jobs}" if jobs else "Nothing to do: a run would start no job."
    if status.lost:
        yield "What is lost is made again first; what follows it runs only if other bytes come back."
    if status.locked:
        yield "A run is going on here, or was killed; the next one goes on from there."
    yield from foreign_note(status.foreign)


def _stage(stage: StageState, told: str | None) -> Iterator[str]:
    if told:
        yield _ROW.format(stage.stage, stage.key, f"as {told}", "", "", "").rstrip()
        return
    yield _ROW.format(
        stage.stage,
        stage.key,
        state_text(stage),
        size_text(stage.size) if stage.there else "",
        time_text(stage.written),
        seconds_text(stage.seconds) if stage.written else "",
    ).rstrip()
    line = ""
    for reason in stage.reasons:
        if line and len(_INDENT) + len(line) + 2 + len(reason) > _WIDTH:
            yield f"{_INDENT}{line};"
            line = ""
        line = f"{line}; {reason}" if line else reason
    if line:
        yield f"{_INDENT}{line}"


def state_text(stage: StageState) -> str:
    """'done', 'partial 2 of 3 shards', 'stale 1 of 3 shards', 'running? 2 of 3' and the like."""
    if stage.state == "partial":
        return f"partial {stage.there} of {stage.of} shards"
    if stage.state == "running":
        return f"running? {stage.there} of {stage.of}" if stage.of > 1 else "running?"
    if stage.state == "stale" and stage.stale < stage.of:
        return f"stale {stage.stale} of {stage.of} shards"
    return stage.state
