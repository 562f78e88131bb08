"""Addresses of a report's files: each table as CSV or LaTeX, each figure, the whole report as HTML or PDF, all data."""

from __future__ import annotations

import tempfile
from pathlib import Path

from csp.decorators import csp_replace
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from annotation_site.rating.models import Judgement
from annotation_site.reports import formats
from annotation_site.reports.access import researchers_only
from annotation_site.reports.document import as_html
from annotation_site.reports.drawings import drawings
from annotation_site.reports.exports.archives import of_folder, zipped
from annotation_site.reports.exports.writing import export_study
from annotation_site.reports.files import CSV_ENCODING
from annotation_site.reports.latex import as_latex
from annotation_site.reports.report import Report, build_report
from annotation_site.reports.report_tables import tables
from annotation_site.studies.access import study_to_read
from annotation_site.studies.models import Study

# An export of so many answers takes about ten seconds; a request is answered while its sender waits.
MOST_SENT = 200_000
CONTENT_TYPES = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}


def report_for(slug: str, request: HttpRequest) -> tuple[Study, Report]:
    """The study and its report, with simulated raters' numbers where the address asks for them."""
    study = study_to_read(request, slug)
    return study, build_report(study, include_simulated=is_simulated(request))


def is_simulated(request: HttpRequest) -> bool:
    return request.GET.get("simulated") == "1"


@researchers_only
def rows(request: HttpRequest, slug: str) -> HttpResponse:
    content = formats.as_csv(report_for(slug, request)[1]).encode(CSV_ENCODING)
    return as_file(content, "text/csv; charset=utf-8", f"{slug}-rows.csv")


@researchers_only
def as_json(request: HttpRequest, slug: str) -> HttpResponse:
    content = formats.as_json(report_for(slug, request)[1]).encode()
    return as_file(content, "application/json", f"{slug}-report.json")


@researchers_only
def table(request: HttpRequest, slug: str, name: str, form: str) -> HttpResponse:
    report = report_for(slug, request)[1]
    found = next((each for each in tables(report) if each.name == name), None)
    if found is None:
        raise Http404(f"The report of {slug} has no table {name!r} with rows.")
    if form == "csv":
        content = formats.table_csv(report, found.rows).encode(CSV_ENCODING)
        return as_file(content, "text/csv; charset=utf-8", f"{slug}-{name}.csv")
    return as_file(as_latex(report, found).encode(), "application/x-tex; charset=utf-8", f"{slug}-{name}.tex")


@researchers_only
def whole(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    report = report_for(slug, request)[1]
    if form == "html":
        return as_file(as_html(report).encode(), "text/html; charset=utf-8", f"{slug}-report.html")
    # ReportLab takes a moment to import, and only this needs it.
    from annotation_site.reports.pdf import as_pdf

    return as_file(as_pdf(report), "application/pdf", f"{slug}-report.pdf")


# A HEAD would have the whole archive made, to send none of it.
@require_GET
@researchers_only
def export(request: HttpRequest, slug: str) -> FileResponse:
    """What ``manage.py export_study --no-images`` writes, as one zip."""
    study = study_to_read(request, slug)
    if Judgement.objects.filter(seat__study=study)[MOST_SENT : MOST_SENT + 1]:
        raise Http404(f"{slug} has more than {MOST_SENT} answers, too many to wait for: manage.py export_study {slug}.")
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / slug
        export_study(study, folder, images=False)
        archive = zipped({f"{slug}/{name}": path for name, path in of_folder(folder).items()})
    return FileResponse(archive, as_attachment=True, filename=f"{slug}-export.zip")


# Matplotlib styles its SVG elements inline; a drawing has nothing to fetch or to run.
@csp_replace({"default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "script-src": ["'none'"]})
@researchers_only
def figure(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    name = request.GET.get("of", "figure") + ("-simulated" if is_simulated(request) else "")
    drawing = next((each for each in drawings(report_for(slug, request)[1]) if each.name == name), None)
    if drawing is None:
        raise Http404(f"The report of {slug} has no figure {name!r}: nobody has answered what it draws.")
    response = HttpResponse(drawing.draw(form), content_type=CONTENT_TYPES[form])
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{slug}-{name}.{form}"'
    return response


def as_file(content: bytes, content_type: str, name: str) -> HttpResponse:
    """A file to keep under this name."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
