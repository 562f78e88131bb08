"""Every file of a report, from the same rows: HTML, PDF, JSON, figures, and each table as CSV and LaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from annotation_site.reports.document import as_html
from annotation_site.reports.drawings import drawings
from annotation_site.reports.exports.folders import new_folder
from annotation_site.reports.figure import FORMATS
from annotation_site.reports.formats import as_csv, as_json, table_csv
from annotation_site.reports.latex import as_latex
from annotation_site.reports.pdf import as_pdf
from annotation_site.reports.report import Report
from annotation_site.reports.report_tables import tables

# The mark makes spreadsheets read a file as UTF-8.
CSV_ENCODING = "utf-8-sig"


def contents(report: Report) -> Iterator[tuple[str, bytes]]:
    """Names and bytes, one file at a time."""
    yield "report.json", as_json(report).encode()
    yield "report.html", as_html(report).encode()
    yield "report.pdf", as_pdf(report)
    yield "rows.csv", as_csv(report).encode(CSV_ENCODING)
    for drawing in drawings(report):
        for form in FORMATS:
            yield f"{drawing.name}.{form}", drawing.draw(form)
    for table in tables(report):
        yield f"tables/{table.name}.csv", table_csv(report, table.rows).encode(CSV_ENCODING)
        yield f"tables/{table.name}.tex", as_latex(report, table).encode()


def write_report(report: Report, target: Path) -> list[Path]:
    """Write every file to ``target``, which must not exist or be empty; their paths. Raises FolderTaken."""
    names = []
    with new_folder(target) as folder:
        (folder / "tables").mkdir()
        for name, content in contents(report):
            (folder / name).write_bytes(content)
            names.append(name)
    return [target / name for name in names]
