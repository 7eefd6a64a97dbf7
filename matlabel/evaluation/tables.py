"""The CSV files beside scores.json, and how numbers are printed."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

DIGITS = 6
SCORES = ("id", "split", "half", "tags", "winner", "labels", "predictions")
IMAGE_COLUMNS = (*SCORES, "enforced", "cover", "margin", "unknown", "doubt", "look")
TAG_COLUMNS = ("id", "split", "class", "tag", "probability", "doubt")
# Column of per_class.csv -> where scores.json holds it.
CLASS_COLUMNS = {
    "seed_unspread": ("seed_unspread", "scoring", "iou"),
    "seed": ("seed", "scoring", "iou"),
    "winner": ("winner", "iou"),
    "trimap_precision": ("trimaps", "precision"),
    "trimap_recall": ("trimaps", "recall"),
    "trimap_unknown": ("trimaps", "unknown"),
    "mattes": ("mattes", "iou"),
    "labels": ("labels", "iou"),
    "labels_boundary": ("labels", "boundary"),
    "predictions": ("predictions", "iou"),
    "predictions_boundary": ("predictions", "boundary"),
}


def plain(value: Any) -> Any:
    """Nested scores as JSON types: numpy's unpacked, floats rounded to 6 digits, NaN as None."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, DIGITS)
    return value


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV; missing values are empty cells."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        cells = ["" if value is None else value for value in plain(list(row))]
        writer.writerow(cells + [""] * (len(columns) - len(cells)))
    return out.getvalue()


def class_text(scores: dict[str, Any], names: list[str]) -> str:
    """per_class.csv: a row for each label 0..K."""
    columns = {column: _at(scores, path) for column, path in CLASS_COLUMNS.items()}
    rows = [[name, *(values.get(name) for values in columns.values())] for name in names]
    return csv_text(["class", *columns], rows)


def curves_text(curves: dict[str, np.ndarray]) -> str:
    """curves.csv: a row for each threshold 0..1."""
    rows = [[level / 255, *(curve[level] for curve in curves.values())] for level in range(256)]
    return csv_text(["threshold", *curves], rows)


def _at(scores: Any, path: Sequence[str]) -> dict[str, Any]:
    for name in path:
        if scores is None:
            return {}
        scores = scores[name]
    return scores or {}
