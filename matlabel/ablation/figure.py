"""The ablation table as a dot plot: one row per variant, one dot per random seed, a line at their mean."""

import io

from matlabel.ablation.table import BOUNDARY, LABELS, SEGMENTER, Table
from matlabel.chart_style import COLOURS, STYLE

# Inches: the width of a page, and what a row takes with several methods and with one.
_WIDTH, _ROW, _NARROW_ROW, _AROUND = 7.2, 0.36, 0.22, 0.9


def plot_png(table: Table) -> bytes:
    """A panel each for mIoU, boundary IoU and, if any was trained, the segmenters' mIoU; equal tables, equal bytes."""
    # pyplot keeps state and picks a backend by the display: a bare Figure does neither.
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    panels = [measure for measure in (LABELS, BOUNDARY, SEGMENTER) if table.named(measure.name)]
    methods = list(dict.fromkeys(column.method for measure in panels for _, column in table.named(measure.name)))
    colours = {method: COLOURS[place % len(COLOURS)] for place, method in enumerate(methods)}
    # Methods of a row stand a little above each other, the first on top.
    step = 0.56 / max(1, len(methods) - 1)
    shifts = {method: step * (place - (len(methods) - 1) / 2) for place, method in enumerate(methods)}
    height = _AROUND + (_ROW if len(methods) > 1 else _NARROW_ROW) * len(table.rows)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, height), dpi=160, layout="constrained")
        for axes, measure in zip(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels, strict=True):
            for place, column in table.named(measure.name):
                for y, (_, cells) in enumerate(table.rows):
                    _draw(axes, cells[place], y + shifts[column.method], colours[column.method])
            for y in range(0, len(table.rows), 2):
                axes.axhspan(y - 0.5, y + 0.5, color="#f5f5f5", lw=0, zorder=0)
            axes.grid(axis="y", visible=False)
            axes.tick_params(axis="y", length=0)
            axes.set(xlabel=f"{measure.title} (%)", ylim=(len(table.rows) - 0.5, -0.5))
            axes.set_yticks(range(len(table.rows)), [row.name for row, _ in table.rows])
        if len(methods) > 1:
            handles = [Line2D([], [], color=colours[method], lw=0, marker="o") for method in methods]
            figure.legend(handles, methods, loc="outside upper left", ncols=len(methods))
        out = io.BytesIO()
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _draw(axes, cell, y: float, colour: str) -> None:
    if cell.mean is None:
        return
    dots = [100 * value for value in cell.values.values()]
    axes.scatter(dots, [y] * len(dots), s=14, color=colour, alpha=0.55, linewidth=0)
    axes.scatter([100 * cell.mean], [y], s=60, color=colour, marker="|", linewidth=1.6)
