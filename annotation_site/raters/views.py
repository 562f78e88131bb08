"""The way in without a source of its own: the open studies, and a study's page where a person consents and joins."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotation_site.raters.consent import Consent
from annotation_site.raters.models import Enrolment, Outcome, Rater, Source
from annotation_site.raters.pages import (
    join_page,
    minutes,
    remember,
    remembered,
    remembered_rater,
    with_counts,
    wrong_consent,
)
from annotation_site.raters.sources.enrolling import has_places
from annotation_site.stimuli.models import Recipe
from annotation_site.studies.models import Study
from annotation_site.throttling import limited


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    ways = Source.objects.filter(study=OuterRef("pk"))
    for_all = Q(Exists(ways.taking().filter(kind=Source.Kind.OPEN))) | ~Q(Exists(ways))
    listed = Study.objects.open().filter(for_all, listed=True)
    studies = [(study, minutes(study)) for study in with_counts(listed)]
    untrained = Recipe.objects.filter(trained=False, generations__items__study__state=Study.State.OPEN).exists()
    return render(request, "raters/home.html", {"studies": studies, "untrained": untrained})


@never_cache
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is stored of raters; with the way to their own for whom this browser remembers."""
    rater = remembered_rater(request)
    parts = rater.enrolments.select_related("study") if rater else []
    return render(request, "raters/privacy.html", {"parts": parts, "contact": settings.ATTEST_CONTACT})


@require_http_methods(["GET", "HEAD", "POST"])
@limited("join")
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """The study's own address lets everybody in, unless ways in were set up: then it leads to an open one of them."""
    study = with_counts(Study.objects.filter(slug=slug)).first()
    if study is None:
        raise Http404(_("There is no study at this address. Check the link, or ask the people who gave it to you."))
    enrolment = remembered(request, study)
    if not study.is_open:
        return render(request, "raters/not_open.html", {"study": study, "enrolment": enrolment})
    if enrolment is None and study.sources.exists():
        return _by_a_source(request, study)
    if enrolment is None and not has_places(study):
        return render(request, "raters/not_open.html", {"study": study, "full": True})
    if request.method != "POST":
        return join_page(request, study, enrolment=enrolment)
    if enrolment is None and "decline" in request.POST:
        return render(request, "raters/ended.html", {"study": study, "outcome": Outcome.NO_CONSENT.value})
    if enrolment is None:
        consent, error = wrong_consent(request, study)
        if error:
            return join_page(request, study, error=error)
        rater = remembered_rater(request)
        enrolment = enrol(study, rater, consent, locale=get_language() or "", now=timezone.now())
        remember(request, enrolment)
    return redirect("rate", token=enrolment.token)


def _by_a_source(request: HttpRequest, study: Study) -> HttpResponse:
    way = study.sources.filter(kind=Source.Kind.OPEN, closed_at__isnull=True).first()
    if way is None:
        return render(request, "raters/not_open.html", {"study": study, "by_link": True})
    return redirect("arrive", slug=study.slug, name=way.name)


@transaction.atomic
def enrol(study: Study, rater: Rater | None, consent: Consent, *, locale: str, now: datetime) -> Enrolment:
    """Take a person who has just agreed into the study; someone who is in it already stays as they are.

    The version agreed to is theirs for good: a later one is asked of those who join later.
    """
    agreed = {"consent_version": consent.version, "consent_text": consent.row, "consented_at": now}
    defaults = {"locale": locale, **agreed}
    return Enrolment.objects.get_or_create(rater=rater or Rater.objects.create(), study=study, defaults=defaults)[0]
