"""A report as text for the terminal: what was counted, then one aligned table for each population of raters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from annotation_site.reports.formats import decimal, percent, points, share
from annotation_site.reports.likert import TagRow
from annotation_site.reports.measures import Measure
from annotation_site.reports.presence import ConditionRow
from annotation_site.reports.report import Report, Section

LIKERT: list[tuple[str, Callable[[TagRow], object]]] = [
    ("tag", lambda row: row.tag),
    ("pairs", lambda row: row.pairs),
    ("judgements", lambda row: row.judgements),
    ("dropped", lambda row: row.dropped),
    ("unscored", lambda row: row.unscored),
    ("scored", lambda row: row.scored),
    ("mean of medians", lambda row: decimal(row.mean)),
    ("median", lambda row: _short(row.median)),
    ("fair+ answers", lambda row: share(row.fair_answers)),
    ("fair+ medians", lambda row: percent(row.fair_medians)),
    ("ordinal alpha", lambda row: decimal(row.alpha)),
    ("too abstract", lambda row: share(row.too_abstract_rate)),
    ("interpretable", lambda row: row.interpretable or "-"),
]
PRESENCE: list[tuple[str, Callable[[ConditionRow], object]]] = [
    ("condition", lambda row: row.condition),
    ("images", lambda row: row.images),
    ("judgements", lambda row: row.judgements),
    ("unscored", lambda row: row.unscored),
    ("scored", lambda row: row.scored),
    ("right images (Wilson)", lambda row: percent(row.right)),
    ("right answers", lambda row: share(row.right_answers)),
    ("alpha (MASI)", lambda row: decimal(row.alpha)),
    ("paper", lambda row: row.paper),
]


def as_text(report: Report) -> str:
    """The report for a terminal; the notes below the tables say what the columns are."""
    parts = [_head(report), *(_section(section) for section in report.sections), _notes(report)]
    return "\n\n".join(parts) + "\n"


def _head(report: Report) -> str:
    totals = report.totals
    aside = ("superseded", "surplus", "simulated", "withdrawn", "excluded")
    sums = " + ".join(f"{getattr(totals, name)} {name}" for name in aside)
    lines = [
        f"{report.title} ({report.study}): {report.kind}, {report.state}, {report.raters_an_item} raters an item",
        f"judgements: {totals.stored} stored = {totals.counted} counted + {sums}",
    ]
    if totals.simulated:
        shown = "shown apart below" if report.simulated else "left out; --include-simulated shows them apart"
        lines.append(f"WARNING: {totals.simulated} judgements are by simulated raters ({shown}).")
    return "\n".join(lines)


def _section(section: Section) -> str:
    columns, rows = (LIKERT, [*section.rows]) if section.overall else (PRESENCE, [*section.rows])
    if section.overall:
        rows.append(section.overall)
    head = f"{section.population}: {section.raters.number} raters, {section.judgements} judgements"
    if not section.rows:
        return f"{head}\nno items in use"
    cells = [[str(write(row)) for _, write in columns] for row in rows]
    table = aligned([name for name, _ in columns], cells)
    if section.difference:
        gap = section.difference
        table += f"\nnon-cohyponyms minus cohyponyms, in percentage points: images {points(gap.images)}"
        table += f"; answers {points(gap.answers)}; the paper {gap.paper_points}"
    return f"{head}\n{table}"


def aligned(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text, the first to the left and the others to the right."""
    widths = [max(len(line[at]) for line in [names, *rows]) for at in range(len(names))]
    lines = [[cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in [names, *rows]]
    for line, source in zip(lines, [names, *rows], strict=True):
        line[0] = source[0].ljust(widths[0])
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _short(measure: Measure) -> str:
    return f"undefined: {measure.reason}" if measure.value is None else f"{measure.value:g}"


def _notes(report: Report) -> str:
    intervals = f"95% intervals; bootstraps of {report.resamples} resamples from seed {report.seed}."
    if report.kind == "presence":
        return f"An image is right when more than half of its raters saw both nouns. {intervals}"
    return (
        "A pair is dropped when any rater calls its word too abstract; fair+ (fair to excellent) answers and alpha\n"
        "are of pairs not dropped. The mean's interval resamples images, alpha's resamples pairs.\n"
        f"{intervals}"
    )
