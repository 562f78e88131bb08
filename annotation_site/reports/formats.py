"""A report as JSON, CSV and aligned text. No NaN leaves here, and no text that a spreadsheet would run."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from annotation_site.reports.measures import Measure, Share
from annotation_site.reports.report import Report, Section

Cell = str | int | float
# What begins a formula, and what may hide its beginning.
FORMULA = frozenset("=+-@")
SUSPECT = FORMULA | frozenset(" \t\r\n")


def as_json(report: Report) -> str:
    """The whole report, indented, in field order: equal reports give equal bytes."""
    return json.dumps(_plain(report, report.answer_names), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any, answers: Sequence[str]) -> Any:
    if isinstance(value, Measure | Share):
        return value.as_json()
    if dataclasses.is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        if "answers" in named and isinstance(named["answers"], tuple):
            named["answers"] = dict(zip(answers, named["answers"], strict=True))
        return {name: _plain(part, answers) for name, part in named.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_plain(part, answers) for part in value]
    return value


def as_csv(report: Report) -> str:
    """One line a row of each population; a measure takes three columns (value, low, high)."""
    lines = [line for section in report.sections for line in _lines(report, section)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(lines[0] if lines else ["study", "population"])
    writer.writerows([[defused(cell) for cell in line.values()] for line in lines])
    return buffer.getvalue()


def table_csv(report: Report, rows: Sequence[Any]) -> str:
    """One table with every field of its rows."""
    study: dict[str, Cell] = {"study": report.study}
    lines = [study | _flat(row, report.answer_names) for row in rows]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(lines[0] if lines else ["study"])
    writer.writerows([[defused(cell) for cell in line.values()] for line in lines])
    return buffer.getvalue()


def _lines(report: Report, section: Section) -> list[dict[str, Cell]]:
    first: dict[str, Cell] = {"study": report.study, "population": section.population}
    rows: list[Any] = [*section.rows, *([section.overall] if section.overall else [])]
    last: dict[str, Cell] = {"seed": report.seed, "resamples": report.resamples}
    return [first | _flat(row, report.answer_names) | last for row in rows]


def _flat(row: Any, answers: Sequence[str]) -> dict[str, Cell]:
    flat: dict[str, Cell] = {}
    for field in dataclasses.fields(row):
        value = getattr(row, field.name)
        if isinstance(value, Measure):
            names = (field.name, f"{field.name}_low", f"{field.name}_high")
            flat |= dict(zip(names, value.cells(), strict=True))
        elif isinstance(value, Share):
            flat |= {field.name: value.cell(), f"{field.name}_count": value.count, f"{field.name}_of": value.total}
        elif isinstance(value, tuple):
            flat |= dict(zip(answers, value, strict=True))
        else:
            flat[field.name] = value
    return flat


def defused(cell: Cell) -> Cell:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers."""
    if not isinstance(cell, str) or cell[:1] not in SUSPECT:
        return cell
    is_formula = cell.lstrip(" \t\r\n")[:1] in FORMULA
    return f"'{cell}" if is_formula or cell[0] != " " else cell


def decimal(measure: Measure) -> str:
    """``3.42 (3.31 to 3.53)``, or why not."""
    return _with_interval(measure, lambda number: f"{round(number, 2) + 0.0:.2f}")


def percent(measure: Measure) -> str:
    """``61% (58% to 64%)``, or why not."""
    return _with_interval(measure, "{:.0%}".format)


def points(measure: Measure) -> str:
    """A difference of shares in percentage points: ``+9 (+3 to +15)``, or why not."""
    return _with_interval(measure, lambda number: f"{round(100 * number) + 0:+d}")


def _with_interval(measure: Measure, write: Callable[[float], str]) -> str:
    if measure.value is None:
        return f"undefined: {measure.reason}"
    if measure.low is None or measure.high is None:
        return write(measure.value) + (f" (interval undefined: {measure.reason})" if measure.reason else "")
    return f"{write(measure.value)} ({write(measure.low)} to {write(measure.high)})"


def share(value: Share) -> str:
    """``87% (512 of 590)``, or why not."""
    if not value.total:
        return f"undefined: {value.reason}"
    return f"{value.count / value.total:.0%} ({value.count} of {value.total})"
