"""The report as one HTML page that needs nothing else: its style within, its figures drawn in it."""

from __future__ import annotations

import base64
from html import escape

from annotation_site.reports.drawings import Drawing, drawings
from annotation_site.reports.report import Report
from annotation_site.reports.report_tables import ReportTable, tables
from annotation_site.reports.text import head_lines, notes

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b21; background: #fff; margin: 2rem auto; max-width: 75rem;
  padding: 0 1rem; }
h1 { font-size: 1.75rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .875rem; }
th, td { border-bottom: 1px solid #dcdce2; padding: .3rem .6rem; text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom-color: #82828f; }
td { font-variant-numeric: tabular-nums; } .note, figcaption { color: #5a5a66; font-size: .875rem; max-width: 75ch; }
.warning { border-left: 4px solid #805300; padding-left: 1rem; } figure { margin: 2rem 0; }
figure img { max-width: 100%; height: auto; }
@media print { h2 { break-after: avoid; } figure { break-inside: avoid; } }
"""


def as_html(report: Report) -> str:
    """The whole report; equal reports give equal bytes."""
    parts = [*_head(report), *(_figure(each) for each in drawings(report))]
    parts += [_table(table) for table in tables(report)]
    parts += ["<h2>How the numbers are made</h2>", *(f"<p>{escape(line)}</p>" for line in notes(report))]
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}: report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _head(report: Report) -> list[str]:
    first, *rest = head_lines(report)
    lines = [f"<h1>{escape(report.title)}</h1>", f"<p>{escape(first)}</p>"]
    return lines + [f"<p{' class=warning' if line.startswith('WARNING') else ''}>{escape(line)}</p>" for line in rest]


def _figure(figure: Drawing) -> str:
    drawn = base64.b64encode(figure.draw("svg")).decode()
    source = f"data:image/svg+xml;base64,{drawn}"
    text = escape(figure.text, quote=True)
    return f'<figure><img src="{source}" alt="{text}"><figcaption>{text}</figcaption></figure>'


def _table(table: ReportTable) -> str:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
    rows = "\n".join(_row(cells) for cells in table.cells())
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<h2>{escape(table.title)}</h2>\n{note}<div class="scroll"><table><thead><tr>{heads}</tr></thead>\n'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(cells: list[str]) -> str:
    first, *rest = cells
    return f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
