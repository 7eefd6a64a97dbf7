"""The robustness benchmark's rows as tables."""

import statistics
from collections.abc import Sequence
from itertools import product

from measure import table
from robustness_cells import CELLS, FAILING

Row = dict[str, str]


def table_text(rows: Sequence[Row]) -> str:
    """Two Markdown tables: the cells, default against plain, and the rows that were made to fail."""
    parts = [table(*_cells(rows))]
    failing = [row for row in rows if row["cell"] in {cell.name for cell in FAILING}]
    if failing:
        head = ["made to fail", "backbone", "labels", "tags' mean AP", "shuffled", "classifier", "warnings"]
        names = ("cell", "backbone", "labels", "mean_ap", "shuffled", "model", "warnings")
        parts.append(table(head, [[row[name] or "–" for name in names] for row in failing]))
    return "\n\n".join(parts)


def _cells(rows: Sequence[Row]) -> tuple[list[str], list[list[object]]]:
    head = ["data set", "backbone", "images", "random seeds", "plain", "default", "difference"]
    head += ["seed mIoU, plain", "default", "enforced, plain", "default"]
    head += ["tags' mean AP (shuffled)", "classifier", "warnings", "cam, s"]
    lines = []
    backbones = sorted({row["backbone"] for row in rows})
    for cell, backbone in product(CELLS, backbones):
        own = [row for row in rows if row["cell"] == cell.name and row["backbone"] == backbone]
        plain, default = ([row for row in own if row["variant"] == name] for name in ("plain", "default"))
        if not plain or not default:
            continue
        plain_of = {row["seed"]: float(row["labels"]) for row in plain}
        gains = [float(row["labels"]) - plain_of[row["seed"]] for row in default if row["seed"] in plain_of]
        warned = sum(bool(row["warnings"]) for row in default)
        taken = sorted({row["model"] for row in default})
        lines.append(
            [
                cell.name,
                backbone,
                default[0]["images"],
                len(default),
                _mean(plain, "labels"),
                _mean(default, "labels"),
                f"{statistics.mean(gains):+.1f}" if gains else "–",
                _mean(plain, "seed_miou"),
                _mean(default, "seed_miou"),
                _mean(plain, "enforced"),
                _mean(default, "enforced"),
                f"{_mean(default, 'mean_ap')} ({_mean(default, 'shuffled')})",
                " and ".join(taken),
                warned or "none",
                # Seconds of one machine.
                _mean([row for row in default if row["device"] == default[0]["device"]], "cam_seconds"),
            ]
        )
    return head, lines


def _mean(rows: Sequence[Row], name: str) -> str:
    values = [float(row[name]) for row in rows if row[name] not in ("", None)]
    if not values:
        return "–"
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.1f}{spread}"
