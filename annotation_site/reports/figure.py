"""The paper's figure of a study, by matplotlib: on top a number with its interval, below the shares of the answers.

Readable in grey print: the answers run from light to dark, carry their percentages and have hatches at the ends. Equal
rows give equal bytes: no date, no random ids. Matplotlib takes a second to import, so only drawing imports it.
"""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from annotation_site.reports import published
from annotation_site.reports.change import ChangeRow
from annotation_site.reports.data import CHANGES
from annotation_site.reports.likert import TagRow
from annotation_site.reports.presence import ConditionRow
from annotation_site.reports.report import SIMULATED, Report, Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf")
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.5,
    "svg.fonttype": "path",
    "svg.hashsalt": "attest",
    "pdf.fonttype": 42,
    # Names of tags and studies are not mathematics.
    "text.parse_math": False,
}
INK, EDGE, BAND = "#1b1b21", "#55555f", "#e4e4ea"
# From light to dark in even steps of lightness, told apart with any colour vision.
SHADES = {5: ("#f3ead2", "#dcc079", "#9fa08f", "#5f7299", "#1d3a70"), 4: ("#1d3a70", "#8d9cb8", "#dcc079", "#f3ead2")}
HATCHES = {5: ("....", "", "", "", "////"), 4: ("////", "", "", "....")}
LABELLED_FROM = 6.0
LABELS = {
    "likert": ("1 bad", "2 poor", "3 fair", "4 good", "5 excellent"),
    "presence": ("both", "first noun only", "second noun only", "neither"),
    "change": CHANGES,
}
# Matplotlib's settings and caches belong to the process; the site's threads take turns.
_DRAWING = threading.Lock()
# It tells of every font that it puts into a PDF.
logging.getLogger("fontTools").setLevel(logging.WARNING)


def figure_bytes(report: Report, section: Section, form: str) -> bytes:
    """The figure of one population as ``svg``, ``pdf`` or ``png`` (200 dots an inch)."""
    width = max(6.4, 0.72 * len(section.rows) + 1.6)
    text = alternative_text(report, section)
    return drawn(lambda figure: _draw(figure, report, section), (width, 5.6), form, text)


def drawn(draw: Callable[[Figure], None], size: tuple[float, float], form: str, text: str) -> bytes:
    """What ``draw`` puts on a figure of this size (inches), with its alternative text in the file."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    buffer = io.BytesIO()
    with _DRAWING, matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        figure.savefig(buffer, format=form, dpi=200, metadata=_metadata(form, text))
    return buffer.getvalue()


def _metadata(form: str, description: str) -> dict[str, Any]:
    if form == "pdf":
        return {
            "Title": "Attest report",
            "Subject": description,
            "CreationDate": None,
            "Producer": None,
            "Creator": None,
        }
    described = {"Title": "Attest report", "Description": description}
    return described | ({"Date": None} if form == "svg" else {"Software": None})


def alternative_text(report: Report, section: Section) -> str:
    """What the figure shows, in a sentence or two, for those who do not see it."""
    who = "" if section.population != SIMULATED else "Simulated raters, not people. "
    if not section.judgements:
        return f"{who}No judgement is counted yet, so there is nothing to draw."
    if report.kind == "presence":
        parts = [f"{row.condition} {_spoken(row.right.value, '{:.0%}')}" for row in section.rows]  # type: ignore[union-attr]
        return f"{who}Share of images that show both nouns: {', '.join(parts)}. Below, the shares of the four answers."
    if report.kind == "change":
        parts = [f"{row.swap_set} {_spoken(row.background_changed.value, '{:.0%}')}" for row in section.rows]  # type: ignore[union-attr]
        shown = f"Share of pairs of images whose background changed: {', '.join(parts)}."
        return f"{who}{shown} Below, the shares of the four answers."
    parts = [f"{row.tag} {_spoken(row.mean.value, '{:.2f}')}" for row in section.rows]  # type: ignore[union-attr]
    return f"{who}Mean of the pairs' median ratings by tag: {', '.join(parts)}. Below, the shares of the five answers."


def _spoken(value: float | None, write: str) -> str:
    return "undefined" if value is None else write.format(value)


def _draw(figure: Figure, report: Report, section: Section) -> None:
    if not section.judgements:
        figure.text(0.5, 0.5, "No judgement is counted yet.", ha="center", va="center", color=EDGE)
        return
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.25))
    if report.kind == "presence":
        _shares_right(top, section.rows)  # type: ignore[arg-type]
    elif report.kind == "change":
        _shares_changed(top, section.rows)  # type: ignore[arg-type]
    else:
        _means(top, section.rows)  # type: ignore[arg-type]
    _stacks(bottom, section.rows, LABELS[report.kind])
    _names(bottom, report, section)
    if section.population == SIMULATED:
        figure.suptitle("Simulated raters, not people", color="#b8141c", fontweight="bold")


def _means(axes: Axes, rows: Sequence[TagRow]) -> None:
    low, high = published.MEAN_RANGE
    axes.axhspan(low, high, color=BAND, zorder=0, label=f"the paper's six tags: {low} to {high}")
    for at, row in enumerate(rows):
        _point(axes, at, row.mean.value, row.mean.low, row.mean.high, hollow=row.interpretable == "no")
    axes.set(ylabel="mean of medians", ylim=(0.8, 5.2), yticks=range(1, 6))
    axes.set_yticklabels(LABELS["likert"])
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, borderaxespad=0.2)


def _shares_right(axes: Axes, rows: Sequence[ConditionRow]) -> None:
    for at, row in enumerate(rows):
        _point(axes, at, row.right.value, row.right.low, row.right.high)
        if row.condition in published.SHARE_RIGHT:
            value = published.SHARE_RIGHT[row.condition]
            # A leading underscore keeps the second line out of the legend.
            label = "_the paper" if axes.get_legend_handles_labels()[1] else "the paper"
            axes.hlines(value, at - 0.3, at + 0.3, colors=EDGE, linestyles="dashed", label=label)
    axes.set(ylabel="images showing both", ylim=(0, 1.02), yticks=[0, 0.25, 0.5, 0.75, 1])
    axes.set_yticklabels(["0%", "25%", "50%", "75%", "100%"])
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, borderaxespad=0.2)


def _shares_changed(axes: Axes, rows: Sequence[ChangeRow]) -> None:
    for at, row in enumerate(rows):
        _point(axes, at, row.background_changed.value, row.background_changed.low, row.background_changed.high)
    axes.set(ylabel="background changed", ylim=(0, 1.02), yticks=[0, 0.25, 0.5, 0.75, 1])
    axes.set_yticklabels(["0%", "25%", "50%", "75%", "100%"])


def _point(
    axes: Axes, at: int, value: float | None, low: float | None, high: float | None, *, hollow: bool = False
) -> None:
    if value is None:
        axes.text(at, 0.04, "undefined", rotation=90, ha="center", color=EDGE, transform=axes.get_xaxis_transform())
        return
    if low is not None and high is not None:
        axes.errorbar(at, value, yerr=[[max(0.0, value - low)], [max(0.0, high - value)]], color=INK, capsize=4)
    axes.plot(at, value, "o", color=INK, markerfacecolor="white" if hollow else INK, markersize=6)


def _stacks(axes: Axes, rows: Sequence[TagRow | ConditionRow | ChangeRow], labels: Sequence[str]) -> None:
    counts = [row.answers for row in rows]
    kinds, totals = len(counts[0]), [sum(given) for given in counts]
    floor = [0.0] * len(counts)
    for answer in range(kinds):
        heights = [100 * given[answer] / total if total else 0.0 for given, total in zip(counts, totals, strict=True)]
        style: dict[str, Any] = {
            "color": SHADES[kinds][answer],
            "hatch": HATCHES[kinds][answer],
            "edgecolor": EDGE,
            "linewidth": 0.4,
        }
        axes.bar(range(len(counts)), heights, 0.72, bottom=floor, label=labels[answer], **style)
        for at, height in enumerate(heights):
            if height >= LABELLED_FROM:
                _label(axes, at, floor[at] + height / 2, height, SHADES[kinds][answer])
        floor = [base + height for base, height in zip(floor, heights, strict=True)]
    axes.set(ylabel="share of answers", ylim=(0, 100), yticks=range(0, 101, 25))
    axes.set_yticklabels([f"{tick}%" for tick in range(0, 101, 25)])
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles, labels, loc="lower left", bbox_to_anchor=(0, 1), ncols=kinds, frameon=False, borderaxespad=0.2)


def _label(axes: Axes, at: int, height: float, share: float, shade: str) -> None:
    dark = sum(int(shade[place : place + 2], 16) for place in (1, 3, 5)) < 400
    # The box keeps the number readable on a hatch.
    box = {"facecolor": shade, "edgecolor": "none", "pad": 0.8}
    axes.text(
        at, height, f"{share:.0f}", ha="center", va="center", fontsize=7.5, color="white" if dark else INK, bbox=box
    )


def _names(axes: Axes, report: Report, section: Section) -> None:
    axes.set_xticks(range(len(section.rows)))
    axes.set_xlim(-0.6, len(section.rows) - 0.4)
    if report.kind == "presence":
        axes.set_xticklabels([f"{row.condition}\nn={row.scored}" for row in section.rows])  # type: ignore[union-attr]
        axes.set_xlabel("n: scored images; lines: 95% Wilson intervals")
        return
    if report.kind == "change":
        names = [row.swap_set.replace(", ", "\n") for row in section.rows]  # type: ignore[union-attr]
        scored = [row.scored for row in section.rows]
        axes.set_xticklabels([f"{name}\nn={number}" for name, number in zip(names, scored, strict=True)])
        axes.set_xlabel("n: scored pairs of images; lines: 95% Wilson intervals")
        return
    axes.set_xticklabels([f"{row.tag}\nn={row.scored}" for row in section.rows])  # type: ignore[union-attr]
    hollow = any(row.interpretable == "no" for row in section.rows)  # type: ignore[union-attr]
    note = "n: scored pairs; lines: 95% bootstrap intervals over images"
    axes.set_xlabel(note + ("\nhollow: too few scored pairs" if hollow else ""))
