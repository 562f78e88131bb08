"""A report as text for the terminal: what was counted, then aligned tables for each population of raters."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from annotation_site.reports.formats import points
from annotation_site.reports.report import Report, Section
from annotation_site.reports.report_tables import ReportTable, tables
from annotation_site.reports.rule_text import rule_text

# What fits a terminal; the files have the rest.
SHOWN = ("rows", "changes", "means", "arms", "clustered")
WIDTH = 110


def as_text(report: Report) -> str:
    """The report for a terminal; the notes below the tables say what the columns are."""
    every = tables(report)
    parts = ["\n".join(head_lines(report))]
    for section in report.sections:
        parts.append(_section(section, [table for table in every if table.population == section.population]))
    parts += [_table(table) for table in every if table.name in {"exclusions", "deviations"}]
    return "\n\n".join([*parts, "\n".join(textwrap.fill(note, WIDTH) for note in notes(report))]) + "\n"


def head_lines(report: Report) -> list[str]:
    """The study, where its judgements went, and the warning that programs have answered."""
    totals = report.totals
    aside = ("superseded", "surplus", "simulated", "withdrawn", "excluded")
    sums = " + ".join(f"{getattr(totals, name)} {name}" for name in aside)
    lines = [
        f"{report.title} ({report.study}): {report.kind}, {report.state}, {report.raters_an_item} raters an item",
        f"judgements: {totals.stored} stored = {totals.counted} counted + {sums}",
    ]
    if report.preregistration:
        lines.append(report.preregistration.said)
    if totals.simulated:
        shown = "shown apart below" if report.simulated else "left out; --include-simulated shows them apart"
        lines.append(f"WARNING: {totals.simulated} judgements are by simulated raters ({shown}).")
    return lines


def _section(section: Section, found: list[ReportTable]) -> str:
    head = f"{section.population}: {section.raters.number} raters, {section.judgements} judgements"
    if not section.rows:
        return f"{head}\nno items in use"
    shown = [table for table in found if table.name.removesuffix("-simulated") in SHOWN]
    parts = [f"{head}\n{aligned(shown[0].heads, shown[0].cells())}{_difference(section)}"]
    return "\n\n".join([*parts, *(_table(table) for table in shown[1:])])


def _difference(section: Section) -> str:
    if section.difference is None:
        return ""
    gap = section.difference
    return (
        f"\nnon-cohyponyms minus cohyponyms, in percentage points: images {points(gap.images)}"
        f"; answers {points(gap.answers)}; the paper {gap.paper_points}"
    )


def _table(table: ReportTable) -> str:
    return f"{table.title}\n{aligned(table.heads, table.cells())}"


def aligned(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text, the first to the left and the others to the right."""
    widths = [max(len(line[at]) for line in [names, *rows]) for at in range(len(names))]
    lines = [[cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in [names, *rows]]
    for line, source in zip(lines, [names, *rows], strict=True):
        line[0] = source[0].ljust(widths[0])
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(line).rstrip() for line in lines)


def notes(report: Report) -> list[str]:
    """How the numbers are made, in paragraphs."""
    intervals = f"95% intervals; bootstraps of {report.resamples} resamples from seed {report.seed}."
    if report.kind == "presence":
        lines = [f"An image is right when more than half of its raters saw both nouns. {intervals}"]
    elif report.kind == "change":
        lines = [
            "The background of two images changed when more than half of their raters said background or both; a "
            f"tie is no change. Wilson intervals; alpha is nominal, its interval resamples pairs. {intervals}"
        ]
    else:
        lines = [
            "A pair is dropped when any rater calls its word too abstract; fair+ (fair to excellent) answers and alpha "
            "are of pairs not dropped. The mean's interval resamples images, alpha's resamples pairs.",
            intervals,
        ]
    return [*lines, *design_notes(report)]


def design_notes(report: Report) -> list[str]:
    """What the study's own design adds: its arms, its stages, its exclusion rules."""
    lines = []
    if report.people.arms:
        lines.append(
            "Scores are of DAAM's own maps; other maps of the same words stand in the table of arms. Raters were not "
            "told which map was which, and may have met a word under several."
        )
    if report.adaptive:
        stages = ", ".join(str(stage) for stage in report.adaptive["stages"])
        disagree = f"{report.adaptive['spread']:g} apart" if report.kind == "likert" else "without a majority"
        lines.append(
            f"By a rule fixed at opening, items got {stages} raters, going on while ratings lay {disagree}. Medians "
            f"are of all answers; shares of answers and alpha of each item's first {report.adaptive['stages'][0]}."
        )
    return [*lines, *(rule_text(rule) for rule in report.rules)]
