"""Drawing: matplotlib, asked for only when something is drawn. Equal rows give equal bytes: no date, no random ids."""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attribution.analysis.intervals import Estimate
from attribution.errors import AnalysisError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from attribution.report.page import Drawing

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "attest",
    # Relations and words are not mathematics.
    "text.parse_math": False,
}
INK, GREY, PALE = "#1b1b21", "#75757f", "#e4e4ea"
# Matplotlib's settings belong to the process; threads take turns.
_DRAWING = threading.Lock()


def figure_bytes(drawing: Drawing, form: str) -> bytes:
    """The figure as ``svg`` or ``png`` (200 dots an inch); raises AnalysisError where matplotlib is missing."""
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise AnalysisError("figures need matplotlib: pip install 'attest[web]', or pip install matplotlib") from error
    buffer = io.BytesIO()
    with _DRAWING, matplotlib.rc_context(STYLE):
        figure = Figure(figsize=drawing.size, layout="constrained")
        FigureCanvasAgg(figure)
        drawing.draw(figure)
        figure.savefig(buffer, format=form, dpi=200, metadata=_metadata(form, drawing.alternative))
    return buffer.getvalue()


def points(
    axes: Axes,
    estimates: Sequence[Estimate],
    *,
    offset: float = 0.0,
    label: str = "",
    filled: bool = True,
    marker: str = "o",
) -> None:
    """Estimates in percent with their intervals, one a line, the first one on top at y = 0."""
    shown = False
    for at, estimate in enumerate(estimates):
        value, (low, high) = 100 * estimate.value, estimate.interval
        if math.isnan(value):
            continue
        if not math.isnan(low):
            # A percentile interval need not hold the value.
            ends = [[max(0.0, value - 100 * low)], [max(0.0, 100 * high - value)]]
            axes.errorbar(value, at + offset, xerr=ends, color=INK, capsize=2, linewidth=1)
        face = INK if filled else "white"
        name = "" if shown or not label else label
        axes.plot(value, at + offset, marker, color=INK, markerfacecolor=face, markersize=5, label=name or "_")
        shown = True


def lines(axes: Axes, names: Sequence[str]) -> None:
    """Name the lines that :func:`points` drew, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)


def legend(axes: Axes, columns: int = 3) -> None:
    """A legend above the axes, where there is anything to name."""
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False, borderaxespad=0.2)


def nothing(figure: Any, text: str) -> None:
    """A figure that says that there is nothing to draw."""
    figure.text(0.5, 0.5, text, ha="center", va="center", color=GREY)


def spoken(estimate: Estimate) -> str:
    """A value for alternative texts, in percent."""
    return "undefined" if math.isnan(estimate.value) else f"{100 * estimate.value:.1f}"


def _metadata(form: str, description: str) -> dict[str, Any]:
    described = {"Title": "Attest analysis", "Description": description}
    return described | ({"Date": None} if form == "svg" else {"Software": None})
