"""The stage ablation: all variants and random seeds of a config in one table and one plot.

settings.yaml holds `runs: [{variant, seed, method, keys: {stage: key}}]`; the scores are found by the layout
results/evaluation/<key>/. Variants that share activations and trimaps and differ in what decides the unknown are one
row, named after the one with closed_form; the method picks the column.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matlabel.ablation.figure import plot_png
from matlabel.ablation.merged_seeds import joined
from matlabel.ablation.section import with_section
from matlabel.ablation.table import Run, Table, table_of
from matlabel.ablation.text import csv_text, markdown
from matlabel.artifacts.atomic import write_bytes, write_text
from matlabel.artifacts.context import load_context
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import Inputs, recorded
from matlabel.artifacts.reading import read_text
from matlabel.artifacts.scores import read_scores
from matlabel.settings.base import Settings
from matlabel.stages import LAST


def run(
    settings: Path,
    results: Path,
    out: Path | None,
    into: Path | None = None,
    code: str = "",
    elsewhere: Sequence[Path] = (),
) -> None:
    """Write the table.

    Args:
        settings: settings.yaml of the ablation.
        results: the folder of all artifacts.
        out: ablation.md; the same name with .csv and .png is written beside it. None: not wanted.
        into: a Markdown file, whose part between the markers is replaced; the plot goes to images/ablation.png
            beside it, the numbers of each seed to ablation.csv.
        elsewhere: CSVs of ablations of the same rows with other seeds, which join the table.
        code: digest of the sources, for the provenance.

    Raises:
        UserError: neither is wanted, a run has no scores, no image had a mask, the markers are missing, or a CSV that
            does not fit.
    """
    if out is None and into is None:
        raise UserError("ablation writes nothing without --out or --into")
    context = load_context(settings, "ablation", Settings)
    inputs = Inputs()
    inputs.add(settings)
    table = table_of([_load(entry, results, inputs) for entry in context.runs(settings)])
    if not table.columns:
        raise UserError(f"{settings}: no run has a score: evaluation found fewer than two images with true masks")
    for file in elsewhere:
        inputs.add(file)
        table = joined(table, read_text(file), file)
    if into is not None:
        _write_into(into, table)
    if out is not None:
        beside = {suffix: out.with_suffix(suffix) for suffix in (".csv", ".png")}
        with recorded([out, *beside.values()], stage="ablation", key=context.key, code=code) as noted:
            noted.files.update(inputs.files)
            write_text(out, markdown(table, beside[".png"].name))
            write_text(beside[".csv"], csv_text(table))
            write_bytes(beside[".png"], plot_png(table))


def _load(entry: dict[str, Any], results: Path, inputs: Inputs) -> Run:
    path = results / LAST.name / entry["keys"][LAST.name] / LAST.main
    if not path.exists():
        raise UserError(
            f"{path}: missing: variant {entry['variant']}, seed {entry['seed']} has no scores; run it, or leave it "
            "out of variants or seeds"
        )
    inputs.add(path)
    return Run(entry["variant"], entry["seed"], entry["method"], entry["keys"], read_scores(path))


def _write_into(file: Path, table: Table) -> None:
    picture = file.parent / "images" / "ablation.png"
    section = markdown(table, Path(os.path.relpath(picture, file.parent)).as_posix())
    # Before anything is written: a file without markers is refused.
    text = with_section(read_text(file), section, file)
    write_bytes(picture, plot_png(table))
    write_text(file.parent / "ablation.csv", csv_text(table))
    write_text(file, text)
