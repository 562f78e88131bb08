"""Invitations as they are handed out: a table for e-mails, and a page to print with a QR code for each."""

from __future__ import annotations

import csv
import io

from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel

from annotation_site.raters.sources.invitations import Link


def table(links: list[Link], batch: str, site: str) -> str:
    """CSV: batch, number, link."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["batch", "number", "link"])
    # A name that begins like a formula would be run by a spreadsheet.
    name = f"'{batch}" if batch[:1] in "=+-@\t\r" else batch
    writer.writerows([name, link.number, link.address(site)] for link in links)
    return buffer.getvalue()


def qr_path(text: str) -> tuple[str, int]:
    """A QR code as the path of an SVG, one unit a module, and how many modules wide it is."""
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    size = code.getModuleCount()
    dark = [(x, y) for y in range(size) for x in range(size) if code.isDark(y, x)]
    return "".join(f"M{x} {y}h1v1h-1z" for x, y in dark), size
