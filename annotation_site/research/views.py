"""The researcher's home, and the page of one study: what it needs, and opening, pausing and closing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from annotation_site.rating import assignment
from annotation_site.rating.moves import MOVES, Move, moves_of, situation, unmoved
from annotation_site.rating.preview import preview
from annotation_site.rating.reasons import ReasonForm
from annotation_site.reports import watching
from annotation_site.reports.actions import with_progress
from annotation_site.research.home import images_of, rows
from annotation_site.research.links import links
from annotation_site.research.pages import page
from annotation_site.research.progress import progress_of
from annotation_site.studies.access import one_of, study_to_run, study_to_see
from annotation_site.studies.members import may_create
from annotation_site.studies.models import Study, StudyOrder


@page("GET")
def home(request: HttpRequest) -> HttpResponse:
    orders = StudyOrder.objects.filter(orderer=request.user.pk).exclude(state=StudyOrder.State.DONE)
    context = {"rows": rows(request.user), "orders": orders, "may_create": may_create(request.user)}
    return render(request, "research/home.html", context)


@page("GET")
def study(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "research/study.html", _page(request, _counted(request, slug)))


@page("GET")
def progress(request: HttpRequest, slug: str) -> HttpResponse:
    """What changes on a study's page, for htmx; the whole page is read again where its buttons do not fit any more."""
    study = _counted(request, slug)
    images = images_of([study])[study.pk]
    context = progress_of(request, study, images)
    if request.GET.get("shown") != context["shown"]:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    ended = study.state == Study.State.CLOSED
    return watching.answer(
        request, context["etag"], ended=ended, template="research/_progress.html", context=lambda: context
    )


def _counted(request: HttpRequest, slug: str) -> Study:
    return one_of(with_progress(Study.objects.visible_to(request.user)), slug)


@page("GET")
def preview_study(request: HttpRequest, slug: str) -> HttpResponse:
    """What raters see, as it is stored."""
    return preview(request, study_to_see(request, slug), request.GET, links=True)


def _page(request: HttpRequest, study: Any) -> dict[str, Any]:
    context = progress_of(request, study, images_of([study])[study.pk])
    return context | {
        "moves": _moves(study, context["now"]) if context["may_run"] else [],
        "may_create": may_create(request.user),
        "links": links(study, may_run=context["may_run"]),
    }


def _moves(study: Study, now: datetime) -> list[tuple[Move, list[str], ReasonForm]]:
    """What can be done with the study, what each brings, and where to say why."""
    found = situation(study, now)
    return [
        (move, move.brings(study, found), ReasonForm(required=False, auto_id=f"{move.name}_%s"))
        for move in moves_of(study)
    ]


@page("POST")
def move(request: HttpRequest, slug: str, to: str) -> HttpResponse:
    """Open, pause or close, with a reason if one is given; what cannot be done now is said, and nothing changes."""
    study, move, form = study_to_run(request, slug), MOVES[to], ReasonForm.of(request, required=False)
    if study.state not in move.states:
        messages.info(request, unmoved(study))
    elif not form.is_valid():
        messages.error(request, str(form.errors["reason"][0]))
    else:
        try:
            messages.success(request, move.do(study, form.cleaned_data["reason"]))
        except assignment.StudyNotReady as error:
            messages.error(request, str(error))
    return redirect("research-study", slug=slug)
