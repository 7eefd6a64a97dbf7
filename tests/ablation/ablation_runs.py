"""Runs as an evaluation leaves them, invented."""

from matlabel.ablation.table import Run


def run(variant, seed, /, method="closed_form", shared=None, labels=0.5, **sections):
    """One run. `shared` names what its activations and trimaps are keyed by, besides the seed."""
    base = f"{shared or variant}-{seed}"
    keys = {"activations": base, "trimaps": base, "labels": f"{variant}-{seed}", "predictions": f"{variant}-{seed}"}
    scores = {
        "void": "wrong",
        "boundary": 0.02,
        "images": {"tuning": 3, "scoring": 3},
        "seed": {"scoring": {"miou": 0.4}},
        "seed_unspread": None,
        "trimaps": {"object_precision": 0.8, "object_recall": 0.3, "background_precision": 0.9, "unknown_share": 0.2},
        "labels": {"miou": labels, "boundary_iou": None if labels is None else labels / 2},
        "predictions": None,
    }
    return Run(variant, seed, method, keys, {**scores, **sections})


def cell(table, row, measure, method=None, against=None):
    """The cell of a row and a column; None where there is no such column."""
    for found, cells in table.rows:
        if found.name == row:
            for column, value in zip(table.columns, cells, strict=True):
                if (column.measure.name, column.method, column.against) == (measure, method, against):
                    return value
    return None
