"""The door of a source: who comes is told apart by the link, agrees or declines, and is led on or back."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotation_site.encryption import Unreadable, decrypt, encrypt
from annotation_site.raters import sources
from annotation_site.raters.models import Enrolment, Invitation, Outcome, Source
from annotation_site.raters.pages import ARRIVALS, join_page, remember, remembered, remembered_rater, wrong_consent
from annotation_site.raters.sources import Arrival, ArrivalProblem, NotTaken
from annotation_site.raters.sources.enrolling import keep
from annotation_site.raters.sources.invitations import secret_hash
from annotation_site.studies.models import Study
from annotation_site.throttling import limited


@never_cache
@require_safe
def invited(request: HttpRequest, token: str) -> HttpResponse:
    """A printed or mailed invitation: a short address for the arrival at its source."""
    found = Invitation.objects.filter(secret_hash=secret_hash(token)).select_related("source__study").first()
    if found is None:
        raise Http404(_("This invitation is not one of ours: check that all of the link was copied."))
    return _arrived(request, found.source, {"invitation": token})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited("join")
def arrive(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    source = _source_or_404(slug, name)
    if request.method != "POST" and _names_somebody(request, source):
        return _arrived(request, source, request.GET.dict())
    arrival = _remembered_arrival(request, source)
    if arrival is None:
        return _problem(request, source, _no_arrival(source), maybe_cookies=True)
    known = _enrolment_of(request, source, arrival)
    if known is not None:
        return redirect("rate", token=known.token)
    closed = _closed(request, source, arrival)
    if closed is not None:
        return closed
    return _answered(request, source, arrival) if request.method == "POST" else join_page(request, source.study, source)


def _source_or_404(slug: str, name: str) -> Source:
    source = Source.objects.filter(study__slug=slug, name=name).select_related("study").first()
    if source is None:
        raise Http404(_("There is no study at this address. Check the link, or ask the people who gave it to you."))
    return source


def _names_somebody(request: HttpRequest, source: Source) -> bool:
    wanted = {name.casefold() for name in sources.kind_of(source).carriers(source)}
    return bool(wanted & {name.casefold() for name in request.GET})


def _arrived(request: HttpRequest, source: Source, given: dict[str, str]) -> HttpResponse:
    """Read who came off the link, and lead them at once to an address that does not tell it."""
    now, kind = timezone.now(), sources.kind_of(source)
    try:
        arrival = kind.identify(source, given, site=f"{request.scheme}://{request.get_host()}", now=now)
    except ArrivalProblem as problem:
        return _problem(request, source, problem)
    known = sources.find_arrival(source, arrival)
    if known is not None:
        keep(known, arrival, now)
        return redirect("rate", token=known.token)
    sealed = encrypt(json.dumps(vars(arrival)))
    request.session[ARRIVALS] = {**request.session.get(ARRIVALS, {}), str(source.pk): sealed}
    return redirect("arrive", slug=source.study.slug, name=source.name)


def _remembered_arrival(request: HttpRequest, source: Source) -> Arrival | None:
    if source.kind == Source.Kind.OPEN:
        return Arrival()
    sealed = request.session.get(ARRIVALS, {}).get(str(source.pk), "")
    try:
        return Arrival(**json.loads(decrypt(sealed))) if sealed else None
    except (Unreadable, ValueError):
        return None


def _no_arrival(source: Source) -> ArrivalProblem:
    """What is missing from a link without ids."""
    try:
        sources.kind_of(source).identify(source, {}, site="", now=timezone.now())
    except ArrivalProblem as problem:
        return problem
    return ArrivalProblem(_("Open the study by the link that you were given."))


def _enrolment_of(request: HttpRequest, source: Source, arrival: Arrival) -> Enrolment | None:
    return sources.find_arrival(source, arrival) if arrival.person else remembered(request, source.study)


def _closed(request: HttpRequest, source: Source, arrival: Arrival) -> HttpResponse | None:
    """The page for somebody new to whom nothing is open; None when they may come in."""
    if source.study.state in (Study.State.DRAFT, Study.State.PAUSED):
        return render(request, "raters/not_open.html", {"study": source.study})
    if not source.study.is_open or sources.is_full(source):
        return _ended(request, source, arrival, Outcome.FULL)
    return None


def _answered(request: HttpRequest, source: Source, arrival: Arrival) -> HttpResponse:
    """What follows from the buttons of the page: consent, no consent, or a device that does not fit."""
    if "decline" in request.POST:
        return _ended(request, source, arrival, Outcome.NO_CONSENT)
    if "device" in request.POST or _too_narrow(request, source):
        return _ended(request, source, arrival, Outcome.DEVICE)
    consent, error = wrong_consent(request, source.study)
    if error:
        return join_page(request, source.study, source, error=error)
    rater = None if arrival.person else remembered_rater(request)
    try:
        enrolment = sources.enrol_arrival(
            source, arrival, consent, rater=rater, locale=get_language() or "", now=timezone.now()
        )
    except NotTaken:
        return _ended(request, source, arrival, Outcome.FULL)
    except ArrivalProblem as problem:
        return _problem(request, source, problem)
    if not arrival.person:
        remember(request, enrolment)
    return redirect("rate", token=enrolment.token)


def _too_narrow(request: HttpRequest, source: Source) -> bool:
    width = request.POST.get("width", "")
    return width.isascii() and width.isdigit() and int(width[:6]) < source.smallest_width


def _ended(request: HttpRequest, source: Source, arrival: Arrival, outcome: Outcome) -> HttpResponse:
    end = sources.kind_of(source).end(source, outcome, arrival)
    context: dict[str, Any] = {"study": source.study, "source": source, "outcome": outcome.value, "end": end}
    return render(request, "raters/ended.html", context)


def _problem(
    request: HttpRequest, source: Source, problem: ArrivalProblem, *, maybe_cookies: bool = False
) -> HttpResponse:
    context = {"study": source.study, "problem": str(problem), "maybe_cookies": maybe_cookies}
    return render(request, "raters/arrival_problem.html", context, status=problem.status)
