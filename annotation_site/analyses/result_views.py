"""A study's analyses: which there are, each one's page, and its files. All show the stored result of the last run."""

from __future__ import annotations

import logging
import mimetypes
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from annotation_site.analyses import stored
from annotation_site.analyses.source import finished
from annotation_site.reports.access import researchers_only
from annotation_site.stimuli.models import Recipe
from annotation_site.stimuli.serving import plain
from annotation_site.studies.access import study_to_read
from annotation_site.studies.models import Study

logger = logging.getLogger(__name__)
OPTIONS = {"objects": " --truth SEGMENTER"}


@researchers_only
def index(request: HttpRequest, slug: str) -> HttpResponse:
    study = study_to_read(request, slug)
    rows = [(kind, text, _last(study, kind), _command(study, kind)) for kind, text in stored.KINDS.items()]
    return render(request, "analyses/study.html", {"study": study, "rows": rows, "finished": finished(study).count()})


@researchers_only
def analysis(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    study = _study(request, slug, kind)
    context = {
        "study": study,
        "kind": kind,
        "about": stored.KINDS[kind],
        "result": _last(study, kind),
        "command": _command(study, kind),
        "finished": finished(study).count(),
        "recipes": Recipe.objects.filter(generations__items__study=study).distinct().order_by("pk"),
    }
    return render(request, "analyses/analysis.html", context)


@researchers_only
def file(request: HttpRequest, slug: str, kind: str, name: str) -> HttpResponse:
    study = _study(request, slug, kind)
    result = stored.result(study, kind)
    if result is None or name not in result["files"]:
        raise Http404(f"The last run of {kind} on {slug} has no file {name!r}.")
    try:
        content = stored.content(study, kind, name, result["files"][name])
    except stored.FileChanged as error:
        logger.error("%s", error)
        return plain(f"The file {name} is missing or damaged. Run the analysis again: {_command(study, kind)}", 404)
    response = HttpResponse(content, content_type=mimetypes.guess_type(name)[0] or "application/octet-stream")
    # The library's page brings its own style, which the site's policy would strip: it is for keeping.
    if "download" in request.GET or not name.endswith((".svg", ".png")):
        response["Content-Disposition"] = f'attachment; filename="{slug}-{kind}-{name}"'
    return response


def _study(request: HttpRequest, slug: str, kind: str) -> Study:
    if kind not in stored.KINDS:
        raise Http404(f"There is no analysis {kind!r}: choose from {', '.join(stored.KINDS)}.")
    return study_to_read(request, slug)


def _last(study: Study, kind: str) -> dict[str, Any] | None:
    """The stored result, with its time as a time and the names of its tables' files."""
    result = stored.result(study, kind)
    if result is None:
        return None
    return result | {
        "made_at": datetime.fromisoformat(result["made_at"]),
        "digest": result["files"].get("report.json", ""),
    }


def _command(study: Study, kind: str) -> str:
    return f"python manage.py analyse {kind} {study.slug}{OPTIONS.get(kind, '')}"
