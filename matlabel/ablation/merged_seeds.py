"""Random seeds run on another machine: their ablation CSV, merged into this run's table."""

import csv
import io
from dataclasses import replace
from pathlib import Path

from matlabel.ablation.table import Cell, Column, Row, Table
from matlabel.artifacts.errors import UserError

_SEED = "seed_"


def joined(table: Table, text: str, file: Path) -> Table:
    """`table` with the random seeds of another ablation of the same variants merged in.

    Args:
        text: the CSV beside that run's ablation.md. Rows and columns that are not in `table` are left out.
        file: named in the message.

    Raises:
        UserError: no such CSV, a seed that both have, or not one row in common.
    """
    lines = list(csv.DictReader(io.StringIO(text)))
    names = [name for name in (lines[0] if lines else ()) if name and name.startswith(_SEED)]
    try:
        seeds = {name: int(name.removeprefix(_SEED)) for name in names}
        found = {(line["row"], line["measure"], line["method"]): _values(line, seeds) for line in lines}
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(f"{file}: not the CSV of an ablation ({error})") from error
    if not seeds or not {row.name for row, _ in table.rows} & {row for row, _, _ in found}:
        rows = ", ".join(dict.fromkeys(row for row, _, _ in found)) or "none"
        raise UserError(f"{file}: no row of this ablation is in it; its rows: {rows}")
    if twice := set(seeds.values()) & set(table.seeds):
        raise UserError(f"{file}: seed {', '.join(map(str, sorted(twice)))} is in this ablation as well; leave it out")
    rows = [
        (row, [_with(cell, found.get(_name(row, column), {})) for cell, column in table.with_columns(cells)])
        for row, cells in table.rows
    ]
    return replace(table, seeds=sorted([*table.seeds, *seeds.values()]), rows=rows)


def _name(row: Row, column: Column) -> tuple[str, str, str]:
    return row.name, column.name, column.decided_by(row) or ""


def _values(line: dict[str, str], seeds: dict[str, int]) -> dict[int, float]:
    return {seed: float(line[name]) for name, seed in seeds.items() if line[name]}


def _with(cell: Cell, more: dict[int, float]) -> Cell:
    return Cell(dict(sorted({**cell.values, **more}.items())))
