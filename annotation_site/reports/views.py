"""The researcher's pages: studies, a study's report in every form, and the items behind its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from annotation_site.accounts.roles import is_admin
from annotation_site.rating.seats import seats
from annotation_site.reports import items
from annotation_site.reports.access import researchers_only
from annotation_site.reports.actions import next_action, with_progress
from annotation_site.reports.downloads import is_simulated, report_for
from annotation_site.reports.drawings import arms_text
from annotation_site.reports.figure import alternative_text
from annotation_site.reports.report import Report, Section
from annotation_site.reports.report_tables import tables
from annotation_site.reports.sorting import COLUMNS, sorted_rows
from annotation_site.reports.text import design_notes
from annotation_site.stimuli.models import Recipe
from annotation_site.studies.access import is_open, may_run, studies_to_read, study_to_read
from annotation_site.studies.models import Study
from attribution.analysis.aggregation import Status

ITEMS_A_PAGE = 24
UNSCORED = frozenset({Status.WAITING, Status.TOO_POOR, Status.TOO_FEW})
STATUSES: Mapping[str, Set[Status]] = {"": set(Status), "unscored": UNSCORED} | {state: {state} for state in Status}
# Tables that the page draws in its own way.
DRAWN_APART = frozenset({"rows", "answers"})


@researchers_only
def index(request: HttpRequest) -> HttpResponse:
    studies = with_progress(studies_to_read(request))
    return render(request, "reports/index.html", {"studies": studies, "is_open": is_open()})


@researchers_only
def report(request: HttpRequest, slug: str) -> HttpResponse:
    study, built = report_for(slug, request)
    places = seats(study)
    context = {
        "study": study,
        "report": built,
        "seats": places,
        "action": next_action(study, places, admin=is_admin(request.user)),
        "is_open": is_open(),
        "may_run": may_run(request, study),
        "sections": [_shown(section, built, request) for section in built.sections],
        "recipes": _recipes(study),
        "design": design_notes(built),
        "tables": [each for each in tables(built) if each.name.removesuffix("-simulated") not in DRAWN_APART],
    }
    return render(request, "reports/study.html", context)


def _recipes(study: Study) -> list[Recipe]:
    """What drew the study's pictures; each page with a picture or a number names it."""
    return list(Recipe.objects.filter(generations__items__study=study).distinct().order_by("pk"))


def _shown(section: Section, built: Report, request: HttpRequest) -> dict[str, Any]:
    """A section with what only the page needs: its order of rows, the figure's text, and the figure's address."""
    chosen = sorted_rows(section.rows, request.GET.get("sort", ""))
    return {
        "section": section,
        "rows": [*chosen.rows, section.overall] if section.overall else chosen.rows,
        "heads": chosen.heads(COLUMNS[built.kind]),
        "alternative_text": alternative_text(built, section),
        "arms_text": arms_text(section) if section.arms else "",
        "is_simulated": section is not built.people,
        "query": "simulated=1&" if section is not built.people else "",
    }


@researchers_only
def group_items(request: HttpRequest, slug: str, group: str) -> HttpResponse:
    study, simulated = study_to_read(request, slug), is_simulated(request)
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
