"""Charts as inline SVG: equal data give equal bytes."""

import io
import re
from collections.abc import Sequence

import numpy as np

from matlabel.chart_style import COLOURS, STYLE
from matlabel.report.markup import Html

MOST_BARS = 400


def threshold_curves(name: str, curves: Sequence[tuple[str, dict[str, np.ndarray]]]) -> Html:
    """mIoU of the CAM seed against the background threshold, on the scoring half; dashed: before spreading.

    Args:
        name: of the chart, unique on the page.
        curves: (run, columns of curves.csv).
    """

    def draw(axes):
        for index, (run, columns) in enumerate(curves):
            colour = COLOURS[index % len(COLOURS)]
            axes.plot(columns["threshold"], 100 * columns["scoring"], color=colour, label=run)
            if not np.isnan(columns["unspread_scoring"]).all():
                axes.plot(columns["threshold"], 100 * columns["unspread_scoring"], color=colour, ls="--", lw=1.1)
        axes.set(xlabel="threshold of the strongest class", ylabel="seed mIoU (%)", xlim=(0, 1))
        axes.set_ylim(bottom=0)
        _legend(axes, len(curves))

    return _chart(name, 6.4, 3.2, draw)


def losses(name: str, title: str, history: dict[str, np.ndarray]) -> Html:
    """Loss terms over the epochs, and the loss of the latest check of the classifier; other columns are left out.

    Args:
        history: columns of history.csv.
    """

    def draw(axes):
        beside = {"epoch", "lr", "bound", "plain"} | {term for term in history if term.startswith("look_")}
        terms = [term for term in history if term not in beside - {"look_loss"} and not np.isnan(history[term]).all()]
        marker = "o" if len(history["epoch"]) < 20 else None
        for index, term in enumerate(terms):
            colour = COLOURS[index % len(COLOURS)]
            axes.plot(history["epoch"], history[term], color=colour, marker=marker, ms=3, label=term)
        axes.set(xlabel="epoch", ylabel="loss", title=title)
        axes.xaxis.get_major_locator().set_params(integer=True)
        _legend(axes, len(terms))

    return _chart(name, 4.2, 2.4, draw)


def differences(name: str, title: str, values: np.ndarray) -> Html:
    """mIoU of labels minus that of the activations' argmax, sorted bars, one an image, at most 400 of them.

    Args:
        values: float64[N] in −1..1, N at least 1.
    """
    values = 100 * np.sort(values)[::-1]
    if len(values) > MOST_BARS:
        values = values[np.linspace(0, len(values) - 1, MOST_BARS).round().astype(int)]

    def draw(axes):
        colours = np.where(values >= 0, COLOURS[0], COLOURS[1])
        axes.bar(np.arange(len(values)), values, width=0.9, color=colours, linewidth=0)
        axes.axhline(0, color="#666666", lw=0.8)
        axes.set(ylabel="mIoU points", title=title, xticks=[], xlim=(-0.6, len(values) - 0.4))
        axes.grid(axis="x", visible=False)

    return _chart(name, 4.2, 2.2, draw)


def _legend(axes, entries: int) -> None:
    if entries > 1:
        axes.legend(ncols=1 if entries < 6 else 2)


def _chart(name: str, width: float, height: float, draw) -> Html:
    # pyplot keeps state and picks a backend by the display: a bare Figure does neither.
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.add_subplot())
        out = io.StringIO()
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=metadata)
    return Html(_inlined(out.getvalue(), name))


def _inlined(svg: str, name: str) -> str:
    """The svg element alone, its ids made unique on the page and those that nothing refers to dropped."""
    svg = svg[svg.index("<svg") :].strip()
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    return re.sub(r'(url\(|href=")#', rf"\1#{name}-", svg)
