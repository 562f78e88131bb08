"""A report and its files: ``report.json``, a CSV a table, ``figure.svg`` and ``figure.png``, and one page of it all."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from attribution.report.figures import figure_bytes
from attribution.report.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from attribution.report.run import Tally


@dataclass(frozen=True, slots=True)
class Picture:
    """An example: a picture with what is to be said of it."""

    image: Image.Image
    caption: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Examples under one heading."""

    title: str
    pictures: Sequence[Picture]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure: ``draw`` fills an empty matplotlib figure of ``size`` inches; ``alternative`` says what it shows."""

    draw: Callable[[Figure], None]
    size: tuple[float, float]
    alternative: str


@dataclass(frozen=True, slots=True)
class Report:
    """What an analysis found: how it was made in ``facts``, then paragraphs, tables, the figure, examples."""

    title: str
    facts: dict[str, str]
    text: Sequence[str]
    tables: Sequence[Table]
    drawing: Drawing
    galleries: Sequence[Gallery] = field(default=())


def write(report: Report, tally: Tally, out: Path) -> list[Path]:
    """Write all files of the report into ``out``; returns their paths, the page first."""
    svg, png = (figure_bytes(report.drawing, form) for form in ("svg", "png"))
    contents = {
        "index.html": page(report, tally, svg).encode(),
        "report.json": json.dumps(as_json(report, tally), ensure_ascii=False, indent=1, allow_nan=False).encode(),
        **{f"{table.key}.csv": table.as_csv().encode() for table in report.tables},
        "figure.svg": svg,
        "figure.png": png,
    }
    for name, content in contents.items():
        (out / name).write_bytes(content)
    return [out / name for name in contents]


def as_json(report: Report, tally: Tally) -> dict[str, Any]:
    """The whole report but pictures, as JSON can hold it."""
    return {
        "title": report.title,
        "facts": report.facts,
        "text": list(report.text),
        "figure": report.drawing.alternative,
        "tables": {table.key: table.as_json() for table in report.tables},
        "images": tally.measured + tally.resumed,
        "skipped": tally.skipped,
        "skipped_names": {broken.name: broken.reason for broken in tally.named},
    }


def page(report: Report, tally: Tally, svg: bytes) -> str:
    """The report as one HTML page with its style, figure and examples inside."""
    drawing = f'<img src="{_data("image/svg+xml", svg)}" alt="{html.escape(report.drawing.alternative)}">'
    parts = [
        f"<h1>{html.escape(report.title)}</h1>",
        _facts(report.facts | _read(tally)),
        *(f"<p>{html.escape(text)}</p>" for text in report.text),
        f'<figure class="drawing">{drawing}</figure>',
        *(table.as_html() for table in report.tables),
        *(_gallery(gallery) for gallery in report.galleries if gallery.pictures),
        _skipped(tally),
    ]
    title = html.escape(report.title)
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    head = f'<meta charset="utf-8">{viewport}<title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body><main>{"".join(parts)}</main></body></html>\n'


def _read(tally: Tally) -> dict[str, str]:
    found = f"{tally.measured + tally.resumed:,} images"
    return {"read": found + (f"; {tally.skipped:,} skipped, see below" if tally.skipped else "")}


def _facts(facts: dict[str, str]) -> str:
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in facts.items())
    return f"<dl>{rows}</dl>"


def _gallery(gallery: Gallery) -> str:
    figures = "".join(_figure(picture) for picture in gallery.pictures)
    return f'<h2>{html.escape(gallery.title)}</h2><div class="gallery">{figures}</div>'


def _figure(picture: Picture) -> str:
    buffer = io.BytesIO()
    picture.image.save(buffer, "PNG")
    caption = html.escape(picture.caption)
    source = _data("image/png", buffer.getvalue())
    return f'<figure><img src="{source}" alt=""><figcaption>{caption}</figcaption></figure>'


def _skipped(tally: Tally) -> str:
    if not tally.skipped:
        return ""
    rows = "".join(f"<li>{html.escape(f'{broken.name}: {broken.reason}')}</li>" for broken in tally.named)
    more = f"<p>and {tally.skipped - len(tally.named):,} more</p>" if tally.skipped > len(tally.named) else ""
    return f"<h2>Skipped</h2><ul>{rows}</ul>{more}"


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b21; --paper: #fdfdfd; --line: #d5d5dc; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf1; --paper: #17171c; --line: #3c3c46; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 32px 16px 64px; }
h1 { font-size: 28px; line-height: 1.2; } h2 { font-size: 19px; margin-top: 40px; } p { max-width: 75ch; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; font-size: 13px; }
dt { opacity: 0.75; } dd { margin: 0; overflow-wrap: anywhere; } li { overflow-wrap: anywhere; }
.table { overflow-x: auto; margin-top: 32px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
caption { text-align: left; font-size: 19px; font-weight: 600; padding-bottom: 8px; white-space: nowrap; }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td.text { text-align: left; } thead th { vertical-align: bottom; white-space: normal; }
figure { margin: 0; } img { max-width: 100%; } .drawing { margin: 24px 0; background: #fff; border-radius: 8px; }
.drawing img { display: block; } .gallery { display: flex; flex-wrap: wrap; gap: 16px; }
.gallery figure { width: min(100%, 420px); } figcaption { font-size: 13px; }
"""
