"""Tables of an analysis: the same rows as JSON, CSV and HTML. A number that is undefined says why in each of them."""

from __future__ import annotations

import csv
import html
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from attribution.analysis.intervals import Estimate

Kind = Literal["text", "count", "share", "points", "number"]
Cell = str | int | float | None | Estimate


@dataclass(frozen=True, slots=True)
class Column:
    """``kind`` decides how cells are written: shares in percent, ``points`` as signed percentage points."""

    key: str
    heading: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` hold a cell for each column's key; ``key`` names the table's CSV file."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[dict[str, Cell]]
    note: str = ""

    def as_json(self) -> list[dict[str, Any]]:
        """The rows; an estimate is an object of value, low, high and, where a number is missing, the reason."""
        return [{column.key: _plain(row.get(column.key)) for column in self.columns} for row in self.rows]

    def as_csv(self) -> str:
        """The rows under the columns' keys; an estimate takes the columns key, key_low, key_high and key_undefined."""
        buffer = io.StringIO()
        wide = {column.key for column in self.columns for row in self.rows if isinstance(row.get(column.key), Estimate)}
        names = [name for column in self.columns for name in _names(column.key, column.key in wide)]
        writer = csv.DictWriter(buffer, names, restval="", lineterminator="\n")
        writer.writeheader()
        for row in self.rows:
            writer.writerow(
                {name: cell for key in row for name, cell in _cells(key, row[key]).items() if name in names}
            )
        return buffer.getvalue()

    def as_text(self) -> str:
        """The rows as lines of aligned columns, under their headings."""
        lines = [[column.heading for column in self.columns]]
        lines += [[written(row.get(column.key), column.kind) for column in self.columns] for row in self.rows]
        widths = [max(len(line[at]) for line in lines) for at in range(len(self.columns))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        )

    def as_html(self) -> str:
        """A table element with a caption, heads and the note below."""
        heads = "".join(f'<th scope="col">{html.escape(column.heading)}</th>' for column in self.columns)
        body = "".join(f"<tr>{self._html_row(row)}</tr>" for row in self.rows)
        if not self.rows:
            body = f'<tr><td colspan="{len(self.columns)}">Nothing to show.</td></tr>'
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        inside = f"<caption>{html.escape(self.title)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody>"
        return f'<div class="table"><table>{inside}</table></div>{note}'

    def _html_row(self, row: dict[str, Cell]) -> str:
        first, *rest = self.columns
        head = f'<th scope="row">{html.escape(written(row.get(first.key), first.kind))}</th>'
        return head + "".join(
            f'<td class="{column.kind}">{html.escape(written(row.get(column.key), column.kind))}</td>'
            for column in rest
        )


def written(cell: Cell, kind: Kind) -> str:
    """A cell for people: ``33.4 (30.1 to 36.0)``, or ``33.4 (one prompt)`` where there is no interval."""
    if isinstance(cell, Estimate):
        return _written_estimate(cell, kind)
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "-"
    return cell if isinstance(cell, str) else _number(cell, kind)


def _written_estimate(cell: Estimate, kind: Kind) -> str:
    if math.isnan(cell.value):
        return f"undefined: {cell.reason}"
    if math.isnan(cell.interval.low):
        return f"{_number(cell.value, kind)} ({cell.reason})"
    low, high = (_number(end, kind) for end in cell.interval)
    return f"{_number(cell.value, kind)} ({low} to {high})"


def _number(value: float, kind: Kind) -> str:
    if kind == "count":
        return f"{value:,.0f}"
    if kind == "number":
        return f"{value:.3g}"
    # A minus sign, and no minus before a nought.
    text = f"{100 * value:+.1f}" if kind == "points" else f"{100 * value:.1f}"
    return ("0.0" if text in ("-0.0", "+0.0") else text).replace("-", "\N{MINUS SIGN}")


def _plain(cell: Cell) -> Any:
    if isinstance(cell, Estimate):
        ends = {"value": cell.value, "low": cell.interval.low, "high": cell.interval.high}
        known: dict[str, Any] = {name: None if math.isnan(number) else number for name, number in ends.items()}
        return known | ({"undefined": cell.reason} if cell.reason else {})
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _cells(key: str, cell: Cell) -> dict[str, Any]:
    plain = _plain(cell)
    if not isinstance(plain, dict):
        return {key: plain}
    value, low, high = plain["value"], plain["low"], plain["high"]
    return dict(zip(_names(key, True), (value, low, high, plain.get("undefined", "")), strict=True))


def _names(key: str, wide: bool) -> list[str]:
    return [key, f"{key}_low", f"{key}_high", f"{key}_undefined"] if wide else [key]
