"""The table as Markdown, with what it was measured on, and as CSV."""

import csv
import io
from collections.abc import Callable, Sequence

from matlabel.ablation.table import BOUNDARY, LABELS, SEGMENTER, Cell, Column, Run, Table

MISSING = "–"
DIGITS = 6


def markdown(table: Table, picture: str) -> str:
    """Sentences, table and picture.

    Args:
        picture: path of the plot, relative to where the text will stand.
    """
    head = ["row", *(_title(column) for column in table.columns)]
    lines = [_line(head), "|" + "---|" * len(head)]
    lines += [
        _line([row.name, *(_text(cell, column, len(table.seeds)) for cell, column in table.with_columns(cells))])
        for row, cells in table.rows
    ]
    plot = f"![Label mIoU and boundary IoU of each row: dots are random seeds, lines their mean]({picture})"
    return "\n\n".join([" ".join(_measured(table)), "\n".join(lines), " ".join(_meaning(table)), plot]) + "\n"


def csv_text(table: Table) -> str:
    """A line for each row and column: shares in 0..1, 6 digits; what is not there is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["row", "measure", "method", "n", "mean", "sd", *(f"seed_{seed}" for seed in table.seeds)])
    for row, cells in table.rows:
        for cell, column in table.with_columns(cells):
            numbers = [cell.mean, cell.deviation, *(cell.values.get(seed) for seed in table.seeds)]
            rounded = ["" if number is None else round(number, DIGITS) for number in numbers]
            writer.writerow([row.name, column.name, column.decided_by(row) or "", len(cell.values), *rounded])
    return out.getvalue()


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _title(column: Column) -> str:
    if column.against:
        return f"{column.measure.title} − {column.against}"
    return f"{column.measure.title}, {column.method}" if column.method else column.measure.title


def _text(cell: Cell, column: Column, seeds: int) -> str:
    if cell.mean is None:
        return MISSING
    text = f"{100 * cell.mean:{'+' if column.against else ''}.1f}".replace("-", "−")
    if cell.deviation is not None:
        text += f" ± {100 * cell.deviation:.1f}"
    return text if len(cell.values) == seeds else f"{text} ({len(cell.values)} of {seeds})"


def _measured(table: Table) -> list[str]:
    """A sentence: over how many random seeds, on which images, and how void counts."""
    seeds = ", ".join(map(str, table.seeds))
    many = len(table.seeds) > 1
    first = f"Mean ± standard deviation over the random seeds {seeds}" if many else f"One random seed ({seeds})"
    lines = [f"{first}; percent.", *_told(table, _training), *_told(table, _predicted)]
    counts = {len(cell.values) for _, cells in table.rows for cell in cells if cell.values}
    if counts - {len(table.seeds)}:
        lines.append(
            f"(n of {len(table.seeds)}): the mean of n results, as one has no score or shares another's artifact."
        )
    return lines


def _told(table: Table, tell: Callable[[Run], str | None]) -> list[str]:
    """Notes on runs: once where true of all, else with the names of their rows."""
    users: dict[str, list[str]] = {}
    for row, _ in table.rows:
        for run in (run for runs in row.runs.values() for run in runs):
            if (text := tell(run)) and row.name not in users.setdefault(text, []):
                users[text].append(row.name)
    if len(users) < 2:
        return list(users)
    return [f"{', '.join(names)}: {text}" for text, names in users.items()]


def _training(run: Run) -> str | None:
    scoring, tuning = run.value("images", "scoring"), run.value("images", "tuning")
    if not scoring or not run.value("seed"):
        return None
    void = "counts as wrong" if run.value("void") == "wrong" else "is dropped"
    return (
        f"Seeds, trimaps and labels are scored on {scoring:,} of the {scoring + tuning:,} training images with masks, "
        "every second one (the scoring half); the other half chose the seed's threshold. "
        f"A void label {void} (`evaluation.void: {run.value('void')}`); boundary IoU is that within "
        f"{100 * run.value('boundary'):.3g} % of the diagonal."
    )


def _predicted(run: Run) -> str | None:
    if not run.value("predictions"):
        return None
    if run.value("predictions", "on") == "held_out":
        return f"Segmenters are scored on the {run.value('predictions', 'images'):,} held-out images with masks."
    return "Segmenters are scored on the scoring half, which they were trained on: there is no held-out split."


def _meaning(table: Table) -> list[str]:
    shown, lines = {column.measure.name for column in table.columns}, []
    if "seed_unspread" in shown:
        lines.append("Seed: mIoU of the activations at one background threshold, before and after spreading.")
    if "object_precision" in shown:
        lines.append(
            "Sure object right, sure background right: of the pixels that a trimap is sure of, those that are right; "
            "object found: of the true objects' pixels, those that are sure of the right class."
        )
    if {LABELS.name, BOUNDARY.name} & shown:
        lines.append("mIoU, boundary IoU: of the labels, by what decides the unknown (`mattes.method`).")
    if SEGMENTER.name in shown:
        lines.append("Segmenter: by what decided the labels it was trained on; masks: true masks, more than tags.")
    if any(column.method == "vitmatte" for column in table.columns):
        lines.append("vitmatte was trained on alpha mattes: more than tags.")
    if any(column.against for column in table.columns):
        lines.append("The differences are taken random seed by random seed.")
    return lines
