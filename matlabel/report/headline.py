"""The headline scores of every run, for the end of `make demo`."""

from pathlib import Path

from matlabel.scores import read_scores, score, warnings_of

_SHOWN = (
    ("seed", ("seed", "scoring", "miou")),
    ("activations", ("winner", "miou")),
    ("pseudo-labels", ("labels", "miou")),
    ("predictions", ("predictions", "miou")),
)


def headline_text(runs: Path) -> str:
    """A line a run with its mIoU in percent, stage by stage; what speaks against its labels; the report's path.

    Args:
        runs: results/runs, a folder of variants with a folder for each seed.
    """
    lines, warnings, reports = [f"{'mIoU, %':24s}" + "".join(f"{name:>16s}" for name, _ in _SHOWN)], [], []
    for folder in sorted(runs.glob("*/seed-*")):
        scores = folder / "evaluation" / "scores.json"
        if not scores.exists():
            continue
        found = read_scores(scores)
        values = [_percent(score(found, *path)) for _, path in _SHOWN]
        lines.append(f"{folder.parent.name + ', ' + folder.name:24s}" + "".join(f"{value:>16s}" for value in values))
        warnings += warnings_of(scores, f"warning, {folder.parent.name}, {folder.name}")
        reports.append((folder / "report" / "report.html").resolve())
    return "\n".join([*lines, *warnings, *(f"report: {path}" for path in dict.fromkeys(reports) if path.exists())])


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
