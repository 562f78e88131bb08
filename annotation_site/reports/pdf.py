"""The report as a PDF by ReportLab: the same tables and figures on A4, landscape; equal reports give equal bytes."""

from __future__ import annotations

import io
from functools import cache
from html import escape
from pathlib import Path

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    Image,
    KeepTogether,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

from annotation_site.reports.drawings import Drawing, drawings
from annotation_site.reports.report import Report
from annotation_site.reports.report_tables import ReportTable, tables
from annotation_site.reports.text import head_lines, notes

PAGE = landscape(A4)
MARGIN = 15 * mm
WIDTH = PAGE[0] - 2 * MARGIN
INK, MUTED, LINE = colors.HexColor("#1b1b21"), colors.HexColor("#5a5a66"), colors.HexColor("#dcdce2")
FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"


@cache
def _register_fonts() -> None:
    """The fonts that matplotlib ships: wide coverage, and the same in the figures."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in (FONT, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))


def _style(size: float, *, bold: bool = False, colour: colors.Color = INK, after: float = 4) -> ParagraphStyle:
    font = BOLD if bold else FONT
    return ParagraphStyle(
        f"{font} {size}", fontName=font, fontSize=size, leading=size * 1.35, textColor=colour, spaceAfter=after
    )


def as_pdf(report: Report) -> bytes:
    """The whole report."""
    _register_fonts()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=PAGE,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=f"{report.title}: report",
        author="Attest",
        # No date and no random id.
        invariant=1,
        lang="en",
    )
    document.build(_story(report), onFirstPage=_footer, onLaterPages=_footer)
    return buffer.getvalue()


def _footer(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont(FONT, 7)
    canvas.setFillColor(MUTED)
    canvas.drawString(MARGIN, MARGIN / 2, document.title)
    canvas.drawRightString(PAGE[0] - MARGIN, MARGIN / 2, str(document.page))


def _story(report: Report) -> list[Flowable]:
    first, *rest = head_lines(report)
    story: list[Flowable] = [
        Paragraph(escape(report.title), _style(18, bold=True)),
        Paragraph(escape(first), _style(9)),
    ]
    story += [Paragraph(escape(line), _style(9, bold=line.startswith("WARNING"))) for line in rest]
    for figure in drawings(report):
        story += [KeepTogether(_figure(figure)), Spacer(1, 6 * mm)]
    story.append(PageBreak())
    for table in tables(report):
        story += _table(table)
    story.append(Paragraph("How the numbers are made", _style(12, bold=True)))
    return story + [Paragraph(escape(line), _style(8)) for line in notes(report)]


def _figure(figure: Drawing) -> list[Flowable]:
    picture = Image(io.BytesIO(figure.draw("png")))
    scale = min(WIDTH / picture.imageWidth, (PAGE[1] - 2 * MARGIN - 35 * mm) / picture.imageHeight)
    picture.drawWidth, picture.drawHeight = picture.imageWidth * scale, picture.imageHeight * scale
    return [picture, Paragraph(escape(figure.text), _style(8, colour=MUTED))]


def _table(table: ReportTable) -> list[Flowable]:
    head, body = _style(7, bold=True, after=0), _style(7, after=0)
    rows = [[Paragraph(escape(cell), head) for cell in table.heads]]
    rows += [[Paragraph(escape(cell), body) for cell in cells] for cells in table.cells()]
    laid = Table(rows, colWidths=_widths(table), repeatRows=1, hAlign="LEFT")
    laid.setStyle([
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.3, LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ])  # fmt: skip
    title = [Paragraph(escape(table.title), _style(12, bold=True))]
    note = [Paragraph(escape(table.note), _style(8, colour=MUTED))] if table.note else []
    # A heading stays with the beginning of its table.
    return [CondPageBreak(45 * mm), *title, *note, laid, Spacer(1, 8 * mm)]


def _widths(table: ReportTable) -> list[float]:
    """Columns as wide as their longest word needs, and their longest cell wants, shared out within the page."""
    rows, wanted = table.cells(), []
    for at, head in enumerate(table.heads):
        cells = [row[at] for row in rows]
        word = max(len(word) for cell in (head, *cells) for word in (cell.split() or [""]))
        wanted.append(max(6.0, 1.2 * word + 3, *(min(26, len(cell) + 1) for cell in cells)))
    scale = min(WIDTH / sum(wanted), 2.2 * mm)
    return [width * scale for width in wanted]
