"""The headline scores of a config, found by its keys, so never those of another config; for the end of `make demo`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.scores import read_scores, score, warnings_of
from matlabel.inspection.status import Status, status_of
from matlabel.inspection.status_text import state_text
from matlabel.inspection.workflow import Workflow
from matlabel.stages import LAST, REPORT

_SHOWN = (
    ("seed", ("seed", "scoring", "miou")),
    ("activations", ("winner", "miou")),
    ("pseudo-labels", ("labels", "miou")),
    ("predictions", ("predictions", "miou")),
)


def headline_text(workflow: Workflow) -> str:
    """One line a variant and random seed: mIoU in percent by stage, what is missing or stale, and warnings.

    The last line is the report's path.

    Raises:
        UserError: the config or the data is refused, or Snakemake cannot plan.
    """
    return "\n".join(_lines(status_of(workflow), workflow.directory / "results"))


def _lines(status: Status, results: Path) -> Iterator[str]:
    yield f"{'mIoU, %':24s}" + "".join(f"{name:>16s}" for name, _ in _SHOWN)
    objections: list[str] = []
    for (variant, seed), keys in status.chains.items():
        state = status.stages[keys[LAST.name]]
        file = results / LAST.name / state.key / LAST.main
        found: Any = {}
        name = f"{variant}, seed {seed}"
        if file.exists():
            try:
                found = read_scores(file)
                objections += warnings_of(file, f"warning, {name}")
            except UserError as error:
                objections.append(f"warning, {name}: no scores ({error})")
        values = [_percent(score(found, *path)) for _, path in _SHOWN]
        yield f"{name:24s}" + "".join(f"{value:>16s}" for value in values)
        if state.state != "done":
            objections.append(f"warning, {name}: {LAST.name} {state.key} is {state_text(state)}; run snakemake")
    yield from objections
    report = status.stages[status.report]
    page = results / REPORT.name / report.key / REPORT.main
    note = "" if report.state == "done" else f" ({state_text(report)}; run snakemake)"
    yield f"report: {page}{note}" if page.exists() else "report: none of this config yet; run snakemake"


def _percent(value: Any) -> str:
    return f"{100 * value:.1f}" if isinstance(value, int | float) else "–"
