"""Tables of scores, in percent, as HTML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from matlabel.report.markup import Html, element, join
from matlabel.report.runs import Run, number

MISSING = "–"


@dataclass(frozen=True)
class Metric:
    """A column of the scores table: where scores.json holds it, and whether more is better (None: neither is)."""

    group: str
    title: str
    path: tuple[str, ...]
    more_is_better: bool | None = True
    interval: tuple[str, ...] | None = None


METRICS = (
    Metric("Activations", "seed mIoU before spreading", ("seed_unspread", "scoring", "miou")),
    Metric("Activations", "seed mIoU", ("seed", "scoring", "miou")),
    Metric("Activations", "winner mIoU", ("winner", "miou")),
    Metric("Trimaps", "sure object right", ("trimaps", "object_precision")),
    Metric("Trimaps", "object found", ("trimaps", "object_recall")),
    Metric("Trimaps", "sure background right", ("trimaps", "background_precision")),
    Metric("Trimaps", "unknown", ("trimaps", "unknown_share"), None),
    Metric("Pseudo-labels", "mIoU", ("labels", "miou"), True, ("labels", "interval")),
    Metric("Pseudo-labels", "boundary IoU", ("labels", "boundary_iou")),
    Metric("Pseudo-labels", "band mIoU", ("labels", "band_miou")),
    Metric("Predictions", "mIoU", ("predictions", "miou"), True, ("predictions", "interval")),
    Metric("Predictions", "boundary IoU", ("predictions", "boundary_iou")),
)
UNMASKED_METRICS = (
    Metric("Trimaps", "unknown", ("without_masks", "unknown_share"), None),
    Metric("Trimaps", "images with enforced regions", ("without_masks", "enforced", "images"), None),
    Metric("Pseudo-labels", "void", ("without_masks", "void_share"), None),
    Metric("Pseudo-labels", "mean margin of the winner", ("without_masks", "margin"), None),
)
CHECK_METRICS = (
    Metric("Held-out tags", "images", ("check", "images"), None),
    Metric("Held-out tags", "mean AP", ("check", "mean_ap")),
    Metric("Held-out tags", "mean AP, tags shuffled", ("check", "mean_ap_shuffled"), None),
    Metric("Class maps", "tags without a region", ("check", "look", "without_region"), None),
    Metric("Class maps", "the same, tags of others", ("check", "look", "without_region_shuffled"), None),
    Metric("Labels", "tags with an enforced region", ("without_masks", "enforced", "share"), None),
    Metric("Labels", "covered by objects", ("without_masks", "cover"), None),
    Metric("To look at", "doubted tags", ("doubted_tags",), None),
    Metric("To look at", "images", ("look",), None),
)
COUNTS = ("images", "doubted_tags", "look")
CLASS_COLUMNS = (
    ("Activations", "seed before spreading", "seed_unspread"),
    ("Activations", "seed", "seed"),
    ("Activations", "winner", "winner"),
    ("Trimaps", "sure pixels right", "trimap_precision"),
    ("Trimaps", "found", "trimap_recall"),
    ("Trimaps", "unknown", "trimap_unknown"),
    ("Pseudo-labels", "IoU", "labels"),
    ("Pseudo-labels", "boundary IoU", "labels_boundary"),
    ("Predictions", "IoU", "predictions"),
    ("Predictions", "boundary IoU", "predictions_boundary"),
)


def by_variant(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Variant -> its runs, in the order of the config."""
    variants: dict[str, list[Run]] = {}
    for run in runs:
        variants.setdefault(run.variant, []).append(run)
    return variants


def average(runs: Sequence[Run], path: Sequence[str]) -> float | None:
    """Mean of a score over runs; None if none has it."""
    values = [value for run in runs if (value := run.value(*path)) is not None]
    return mean(values) if values else None


def scores_table(runs: Sequence[Run]) -> Html:
    """All variants and random seeds, with mean ± standard deviation below where a variant has several."""
    return _metrics_table(runs, METRICS)


def unmasked_table(runs: Sequence[Run]) -> Html:
    """Statistics that need no true masks, a row each run."""
    return _metrics_table(runs, UNMASKED_METRICS)


def check_table(runs: Sequence[Run]) -> Html:
    """Checks by tags alone, a row each run."""
    return _metrics_table(runs, CHECK_METRICS)


def class_table(run: Run) -> Html:
    """IoU and trimap quality of every class; columns that are empty throughout are left out."""
    columns = [column for column in CLASS_COLUMNS if any(row.get(column[2]) for row in run.classes)]
    rows = [
        element("tr", element("th", row["class"], scope="row"), *(_cell(number(row[name])) for _, _, name in columns))
        for row in run.classes
    ]
    return _table(["class"], [(group, title) for group, title, _ in columns], rows)


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[object]], most: int = 200) -> Html:
    """Text in rows; what exceeds `most` rows is only counted."""
    body = [element("tr", *(element("td", cell, class_="text") for cell in row)) for row in rows[:most]]
    if len(rows) > most:
        more = f"and {len(rows) - most} more"
        body.append(element("tr", element("td", more, class_="text muted", colspan=len(columns))))
    head = element("tr", *(element("th", column, scope="col", class_="text") for column in columns))
    return _scrolling(element("thead", head), element("tbody", *body))


def percent(value: float | None) -> str:
    """A share as it is printed: percent with one digit."""
    return MISSING if value is None else f"{100 * value:.1f}"


def _metrics_table(runs: Sequence[Run], metrics: Sequence[Metric]) -> Html:
    metrics = [metric for metric in metrics if any(run.value(*metric.path) is not None for run in runs)]
    variants = by_variant(runs)
    best = {metric: _best(variants, metric) for metric in metrics} if len(variants) > 1 else {}
    rows = []
    for variant, group in variants.items():
        mark = Html("")
        if group[0].beyond_tags:
            mark = element("span", group[0].beyond_tags, class_="mark")
        many = len(group) > 1
        label = f"{len(group)} seeds" if many else str(group[0].seed)
        cells = [
            _cell_of(
                group, metric, highlight=best.get(metric) is not None and average(group, metric.path) == best[metric]
            )
            for metric in metrics
        ]
        heading = element("th", variant, mark, scope="row", rowspan=1 + len(group) if many else None)
        rows.append(element("tr", heading, element("td", label, class_="seed"), *cells, class_="variant"))
        for run in group if many else []:
            cells = [_cell_of([run], metric) for metric in metrics]
            rows.append(element("tr", element("td", run.seed, class_="seed"), *cells, class_="one"))
    return _table(["variant", "seed"], [(metric.group, metric.title) for metric in metrics], rows)


def _best(variants: dict[str, list[Run]], metric: Metric) -> float | None:
    """The best mean among variants trained on tags alone."""
    if not metric.more_is_better:
        return None
    values = [average(group, metric.path) for group in variants.values() if not group[0].beyond_tags]
    return max((value for value in values if value is not None), default=None)


def _cell_of(group: Sequence[Run], metric: Metric, highlight: bool = False) -> Html:
    values = [value for run in group if (value := run.value(*metric.path)) is not None]
    shown: Callable[[float], str] = (lambda value: f"{value:g}") if metric.path[-1] in COUNTS else percent
    if not values:
        return element("td", MISSING, class_="muted")
    text = [shown(mean(values))]
    if len(values) > 1:
        text.append(element("small", f" ± {shown(stdev(values))}", class_="below"))
    elif metric.interval and (bounds := group[0].value(*metric.interval)):
        text.append(element("small", f" {percent(bounds[0])}–{percent(bounds[1])}", class_="below"))
    return element("td", *text, class_="best" if highlight else None)


def _cell(value: float | None) -> Html:
    return element("td", percent(value), class_="muted" if value is None else None)


def _table(leading: Sequence[str], columns: Sequence[tuple[str, str]], rows: Sequence[Html]) -> Html:
    groups: list[list] = []
    for group, _ in columns:
        if groups and groups[-1][0] == group:
            groups[-1][1] += 1
        else:
            groups.append([group, 1])
    over = [element("th", group, colspan=span, scope="colgroup", class_="group") for group, span in groups]
    head = element("tr", *(element("th", name, rowspan=2, scope="col", class_="text") for name in leading), *over)
    titles = element("tr", *(element("th", title, scope="col") for _, title in columns))
    return _scrolling(element("thead", head, titles), element("tbody", join(rows)))


def _scrolling(*parts: Html) -> Html:
    return element("div", element("table", *parts), class_="scroll")
