"""The researcher's pages: studies, a study's report in every form, and the items behind its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from functools import wraps
from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from annotation_site.reports import formats, items
from annotation_site.reports.actions import next_action, seats, with_progress
from annotation_site.reports.figure import alternative_text, figure_bytes
from annotation_site.reports.report import Report, Section, build_report
from annotation_site.reports.sorting import LIKERT_COLUMNS, PRESENCE_COLUMNS, sorted_rows
from annotation_site.stimuli.models import Recipe
from annotation_site.studies.models import Study
from attribution.analysis.aggregation import Status

View = Callable[..., HttpResponse]
ITEMS_A_PAGE = 24
UNSCORED = frozenset({Status.WAITING, Status.TOO_POOR, Status.TOO_FEW})
STATUSES: Mapping[str, Set[Status]] = {"": set(Status), "unscored": UNSCORED} | {state: {state} for state in Status}
CONTENT_TYPES = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}


def researchers_only(view: View) -> View:
    """Staff only, and answers of people in no cache; the demo's reports are open, so that a first user sees them."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_open() or (request.user.is_authenticated and request.user.is_staff):
            return view(request, *args, **kwargs)
        if request.user.is_authenticated:
            raise PermissionDenied("Reports are for staff: ask an administrator to make your account staff.")
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))

    return require_safe(cache_control(private=True, no_cache=True)(guarded))


def is_open() -> bool:
    return settings.ATTEST_ENV == "demo"


@researchers_only
def index(request: HttpRequest) -> HttpResponse:
    studies = with_progress(Study.objects.all())
    return render(request, "reports/index.html", {"studies": studies, "is_open": is_open()})


@researchers_only
def report(request: HttpRequest, slug: str) -> HttpResponse:
    study, built = _built(slug, request)
    places = seats(study)
    context = {
        "study": study,
        "report": built,
        "seats": places,
        "action": next_action(study, places, staff=request.user.is_staff),
        "is_open": is_open(),
        "sections": [_shown(section, built, request) for section in built.sections],
        "recipes": _recipes(study),
    }
    return render(request, "reports/study.html", context)


def _recipes(study: Study) -> list[Recipe]:
    """What drew the study's pictures; each page with a picture or a number names it."""
    return list(Recipe.objects.filter(generations__items__study=study).distinct().order_by("pk"))


def _shown(section: Section, built: Report, request: HttpRequest) -> dict[str, Any]:
    """A section with what only the page needs: its order of rows, the figure's text, and the figure's address."""
    chosen = sorted_rows(section.rows, request.GET.get("sort", ""))
    columns = LIKERT_COLUMNS if built.kind == Study.Kind.LIKERT else PRESENCE_COLUMNS
    return {
        "section": section,
        "rows": [*chosen.rows, section.overall] if section.overall else chosen.rows,
        "heads": chosen.heads(columns),
        "alternative_text": alternative_text(built, section),
        "is_simulated": section is not built.people,
        "query": "simulated=1&" if section is not built.people else "",
    }


@researchers_only
def rows(request: HttpRequest, slug: str) -> HttpResponse:
    built = _built(slug, request)[1]
    # The mark makes spreadsheets read the file as UTF-8.
    return _file("\ufeff" + formats.as_csv(built), "text/csv; charset=utf-8", f"{slug}-rows.csv")


@researchers_only
def as_json(request: HttpRequest, slug: str) -> HttpResponse:
    return _file(formats.as_json(_built(slug, request)[1]), "application/json", f"{slug}-report.json")


# Matplotlib styles its SVG elements inline; a drawing has nothing to fetch or to run.
@csp_replace({"default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "script-src": ["'none'"]})
@researchers_only
def figure(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    built = _built(slug, request)[1]
    drawn = built.simulated if _simulated(request) else built.people
    if drawn is None:
        raise Http404(f"Study {slug} has no judgements by simulated raters.")
    response = HttpResponse(figure_bytes(built, drawn, form), content_type=CONTENT_TYPES[form])
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{slug}-figure.{form}"'
    return response


@researchers_only
def group_items(request: HttpRequest, slug: str, group: str) -> HttpResponse:
    study, simulated = get_object_or_404(Study, slug=slug), _simulated(request)
    every = items.outcomes_of(study, group, simulated=simulated)
    if not every:
        raise Http404(f"Study {slug} has no items in {group!r}.")
    status = request.GET.get("status", "")
    if status not in STATUSES:
        raise Http404(f"status={status!r} is not known: choose from {', '.join(filter(None, STATUSES))}.")
    chosen = [outcome for outcome in every if outcome.status in STATUSES[status]]
    page = Paginator(chosen, ITEMS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "group": group,
        "page": page,
        "items": items.shown(study, page.object_list, simulated=simulated),
        "status": status,
        "statuses": [(name, sum(o.status in members for o in every)) for name, members in STATUSES.items()],
        "simulated": simulated,
        "recipes": _recipes(study),
    }
    return render(request, "reports/items.html", context)


def _built(slug: str, request: HttpRequest) -> tuple[Study, Report]:
    study = get_object_or_404(Study, slug=slug)
    return study, build_report(study, include_simulated=_simulated(request))


def _simulated(request: HttpRequest) -> bool:
    return request.GET.get("simulated") == "1"


def _file(content: str, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
