"""The ablation table: runs grouped into rows, with mean and standard deviation of every score over the random seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import Any

from matlabel.artifacts.scores import score

# What may decide labels, in the order of the columns; methods that are not named here follow.
DECIDED_BY = ("none", "crf", "closed_form")
# Labels that are the true masks have no score of their own.
TRUE_MASKS = "masks"
REFERENCES = ("plain", "all", "default")


@dataclass(frozen=True)
class Run:
    """One variant with one random seed.

    Attributes:
        method: what decided its labels: a matting method, or `masks`.
        keys: stage -> key.
        scores: scores.json of its evaluation.
    """

    variant: str
    seed: int
    method: str
    keys: Mapping[str, str]
    scores: Mapping[str, Any]

    def value(self, *path: str) -> Any:
        """A score by its path in scores.json; None where it, or a section above it, is missing."""
        return score(self.scores, *path)


@dataclass
class Row:
    """Variants that agree up to their trimaps and differ only in the matting method.

    Attributes:
        signature: keys of activations and trimaps, random seed by random seed.
        runs: method -> its runs, one a seed.
    """

    signature: tuple[tuple[int, str | None, str | None], ...]
    runs: dict[str, list[Run]] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The matting method that the row is named after: closed_form, or else the first."""
        return "closed_form" if "closed_form" in self.runs else next(iter(self.runs))

    @property
    def name(self) -> str:
        """The name of that variant."""
        return self.runs[self.method][0].variant


@dataclass(frozen=True)
class Cell:
    """One measure of one row.

    Attributes:
        values: seed -> score in 0..1 (or a difference of two). Seeds that share the artifact count once, under the
            first of them; seeds without a score are left out.
    """

    values: Mapping[int, float]

    @property
    def mean(self) -> float | None:
        """Mean over the random seeds; None without any value."""
        return mean(self.values.values()) if self.values else None

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation (n - 1); None for less than two."""
        return stdev(self.values.values()) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Measure:
    """A score in scores.json and how its column shows it.

    Attributes:
        name: in the CSV.
        title: in Markdown.
        stage: whose key tells results apart.
        read: a run's score, None where it has none.
    """

    name: str
    title: str
    stage: str
    read: Callable[[Run], float | None]


@dataclass(frozen=True)
class Column:
    """A measure in the table, for one matting method where the measure depends on the method.

    Attributes:
        against: the row whose value is subtracted; then `method` is the one the row is named after.
    """

    measure: Measure
    method: str | None = None
    against: str | None = None

    @property
    def name(self) -> str:
        """The column's name in the CSV."""
        return self.measure.name + (f"_minus_{self.against}" if self.against else "")

    def decided_by(self, row: Row) -> str | None:
        """The matting method that this column shows of a row."""
        return row.method if self.against else self.method


@dataclass(frozen=True)
class Table:
    """Rows of cells, as many as there are columns; columns that are empty throughout are left out."""

    seeds: list[int]
    columns: list[Column]
    rows: list[tuple[Row, list[Cell]]]

    def with_columns(self, cells: Sequence[Cell]) -> list[tuple[Cell, Column]]:
        """The cells of a row, each with its column."""
        return list(zip(cells, self.columns, strict=True))

    def named(self, measure: str) -> list[tuple[int, Column]]:
        """Index and column of each column that shows this measure's scores, not differences."""
        return [
            (place, column)
            for place, column in enumerate(self.columns)
            if column.measure.name == measure and column.against is None
        ]


def _score(*path: str) -> Callable[[Run], float | None]:
    return lambda run: run.value(*path)


def _before_spreading(run: Run) -> float | None:
    """The CAM seed before spreading; without spreading the CAM seed itself, as scores.json then has no other."""
    return run.value("seed_unspread" if run.value("seed_unspread") else "seed", "scoring", "miou")


def _after_spreading(run: Run) -> float | None:
    return run.value("seed", "scoring", "miou") if run.value("seed_unspread") else None


SHARED = (
    Measure("seed_unspread", "seed", "activations", _before_spreading),
    Measure("seed", "seed, spread", "activations", _after_spreading),
    Measure("object_precision", "sure object right", "trimaps", _score("trimaps", "object_precision")),
    Measure("object_recall", "object found", "trimaps", _score("trimaps", "object_recall")),
    Measure("background_precision", "sure background right", "trimaps", _score("trimaps", "background_precision")),
    Measure("unknown_share", "unknown", "trimaps", _score("trimaps", "unknown_share")),
)
LABELS = Measure("labels_miou", "mIoU", "labels", _score("labels", "miou"))
BOUNDARY = Measure("labels_boundary_iou", "boundary IoU", "labels", _score("labels", "boundary_iou"))
SEGMENTER = Measure("predictions_miou", "segmenter mIoU", "predictions", _score("predictions", "miou"))


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """Group variants into rows: equal activations and trimaps with every random seed, different matting methods."""
    variants: dict[str, list[Run]] = {}
    for run in runs:
        variants.setdefault(run.variant, []).append(run)
    rows: list[Row] = []
    for group in variants.values():
        signature = tuple((run.seed, run.keys.get("activations"), run.keys.get("trimaps")) for run in group)
        method = group[0].method
        row = next((row for row in rows if row.signature == signature and method not in row.runs), None)
        if row is None:
            rows.append(row := Row(signature))
        row.runs[method] = group
    return rows


def table_of(runs: Sequence[Run]) -> Table:
    """The ablation table of all runs."""
    rows = rows_of(runs)
    named = {row.name: row for row in rows}
    found = dict.fromkeys(run.method for run in runs)
    methods = [method for method in DECIDED_BY if method in found]
    methods += [method for method in found if method not in DECIDED_BY]
    own = [method for method in methods if method != TRUE_MASKS]
    columns = [Column(measure) for measure in SHARED]
    columns += [Column(LABELS, method) for method in own]
    columns += [Column(LABELS, against=name) for name in REFERENCES if name in named]
    columns += [Column(BOUNDARY, method) for method in own]
    columns += [Column(SEGMENTER, method) for method in methods]
    cells = [[_cell(row, column, named) for column in columns] for row in rows]
    kept = [place for place in range(len(columns)) if any(line[place].values for line in cells)]
    return Table(
        seeds=list(dict.fromkeys(run.seed for run in runs)),
        columns=[columns[place] for place in kept],
        rows=[(row, [line[place] for place in kept]) for row, line in zip(rows, cells, strict=True)],
    )


def _cell(row: Row, column: Column, named: Mapping[str, Row]) -> Cell:
    runs = row.runs.get(column.method or row.method, [])
    if column.against is None:
        return Cell(_values(column.measure, [(run,) for run in runs], lambda value: value))
    reference = named[column.against]
    if reference is row or reference.method != row.method or TRUE_MASKS in row.runs:
        return Cell({})
    pairs = zip(runs, reference.runs[reference.method], strict=True)
    return Cell(_values(column.measure, list(pairs), lambda value, other: value - other))


def _values(measure: Measure, groups: Sequence[tuple[Run, ...]], combine: Callable[..., float]) -> dict[int, float]:
    """Random seed -> value, where all runs of a group have one; random seeds that share artifacts count once."""
    values, seen = {}, set()
    for group in groups:
        keys = tuple(run.keys.get(measure.stage) for run in group)
        scores = [measure.read(run) for run in group]
        if keys not in seen and None not in scores:
            values[group[0].seed] = combine(*scores)
            seen.add(keys)
    return values
