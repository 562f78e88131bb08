"""Every figure of a report: the scores of each population, and the arms of a study that compares methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotation_site.reports.comparisons import ArmRow
from annotation_site.reports.figure import EDGE, INK, alternative_text, drawn, figure_bytes
from annotation_site.reports.report import SIMULATED, Report, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKERS = ("o", "s", "^", "D", "v", "P", "X")


@dataclass(frozen=True)
class Drawing:
    """A figure: its file's name, its alternative text, and how it is drawn (``svg``, ``pdf`` or ``png``)."""

    name: str
    text: str
    draw: Callable[[str], bytes]


def drawings(report: Report) -> list[Drawing]:
    """The report's figures, people's first."""
    found = []
    for section in report.sections:
        suffix = "-simulated" if section.population == SIMULATED else ""
        found.append(
            Drawing(
                f"figure{suffix}",
                alternative_text(report, section),
                lambda form, section=section: figure_bytes(report, section, form),  # type: ignore[misc]
            )
        )
        if section.arms:
            found.append(_arms(section, f"arms{suffix}"))
    return found


def _arms(section: Section, name: str) -> Drawing:
    text = arms_text(section)
    rows = section.arms
    tags = list(dict.fromkeys(row.tag for row in rows))
    size = (max(6.4, 0.72 * len(tags) + 1.6), 3.8)
    simulated = section.population == SIMULATED
    return Drawing(name, text, lambda form: drawn(lambda on: _draw(on, rows, tags, simulated), size, form, text))


def arms_text(section: Section) -> str:
    """The figure of the arms in words: the difference over all tags, arm by arm."""
    whole = [row for row in section.arms if row.tag == section.arms[0].tag]
    parts = [
        f"{row.arm} {'undefined' if row.difference.value is None else f'{row.difference.value:+.2f}'}" for row in whole
    ]
    who = "Simulated raters, not people. " if section.population == SIMULATED else ""
    return (
        f"{who}How much higher DAAM's maps score than others on the same words and images, in points of the mean of "
        f"medians, over all tags: {', '.join(parts)}. Tag by tag with 95% intervals."
    )


def _draw(figure: Figure, rows: tuple[ArmRow, ...], tags: list[str], simulated: bool) -> None:
    axes = figure.subplots()
    arms = list(dict.fromkeys(row.arm for row in rows))
    axes.axhline(0, color=EDGE, linewidth=0.8)
    for number, arm in enumerate(arms):
        shift = (number - (len(arms) - 1) / 2) * 0.7 / len(arms)
        for row in (row for row in rows if row.arm == arm):
            value, low, high = row.difference.value, row.difference.low, row.difference.high
            if value is None:
                continue
            at = tags.index(row.tag) + shift
            if low is not None and high is not None:
                axes.plot([at, at], [low, high], color=INK, linewidth=1)
            axes.plot(at, value, MARKERS[number % len(MARKERS)], color=INK, markerfacecolor="white", markersize=6)
        # The legend's own mark: told apart by shape, not by colour.
        axes.plot([], [], MARKERS[number % len(MARKERS)], color=INK, markerfacecolor="white", label=arm)
    axes.set(ylabel="DAAM minus the other map", xlim=(-0.6, len(tags) - 0.4))
    axes.set_xticks(range(len(tags)), tags)
    axes.set_xlabel("pairs scored under both maps; lines: 95% bootstrap intervals over images")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(arms), frameon=False, borderaxespad=0.2)
    if simulated:
        figure.suptitle("Simulated raters, not people", color="#b8141c", fontweight="bold")
