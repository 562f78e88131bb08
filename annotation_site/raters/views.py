"""The way in: the open studies, and a study's page where a person consents and joins."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from annotation_site.raters.consent import Consent, consent_of
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.stimuli.models import Recipe
from annotation_site.studies.models import Item, Study
from annotation_site.studies.texts import texts_of

SECONDS_AN_ANSWER = {Study.Kind.LIKERT: 8, Study.Kind.PRESENCE: 6, Study.Kind.CHANGE: 8}
SESSION_KEY = "rater"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    studies = [(study, minutes(study)) for study in with_counts(Study.objects.open())]
    untrained = Recipe.objects.filter(trained=False, generations__items__study__state=Study.State.OPEN).exists()
    return render(request, "raters/home.html", {"studies": studies, "untrained": untrained})


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, slug: str) -> HttpResponse:
    study = with_counts(Study.objects.filter(slug=slug)).first()
    if study is None:
        raise Http404(_("There is no study at this address. Check the link, or ask the people who gave it to you."))
    enrolment = remembered(request, study)
    if not study.is_open:
        return render(request, "raters/not_open.html", {"study": study, "enrolment": enrolment})
    if request.method != "POST":
        return _join_page(request, study, enrolment)
    if enrolment is None:
        consent = consent_of(study, get_language() or "")
        if request.POST.get("consent") != "yes":
            return _join_page(request, study, None, error="no consent")
        if request.POST.get("version", consent.version) != consent.version:
            return _join_page(request, study, None, error="another version")
        rater = _remembered_rater(request)
        enrolment = enrol(study, rater, consent, locale=get_language() or "", now=timezone.now())
        request.session[SESSION_KEY] = enrolment.rater_id
    return redirect("rate", token=enrolment.token)


def _join_page(request: HttpRequest, study: Study, enrolment: Enrolment | None, *, error: str = "") -> HttpResponse:
    texts = texts_of(study, get_language() or "")
    context: dict[str, Any] = {
        "study": study,
        "enrolment": enrolment,
        "minutes": minutes(study),
        "consent": consent_of(study, get_language() or ""),
        "question": texts.question,
        "anchors": texts.anchors,
        "error": error,
    }
    return render(request, "raters/join.html", context, status=422 if error else 200)


@transaction.atomic
def enrol(study: Study, rater: Rater | None, consent: Consent, *, locale: str, now: datetime) -> Enrolment:
    """Take a person who has just agreed into the study; someone who is in it already stays as they are.

    The version agreed to is theirs for good: a later one is asked of those who join later.
    """
    agreed = {"consent_version": consent.version, "consent_text": consent.row, "consented_at": now}
    defaults = {"locale": locale, **agreed}
    return Enrolment.objects.get_or_create(rater=rater or Rater.objects.create(), study=study, defaults=defaults)[0]


def remembered(request: HttpRequest, study: Study) -> Enrolment | None:
    """This browser's part in the study, if it has one."""
    rater = request.session.get(SESSION_KEY)
    return Enrolment.objects.filter(rater=rater, study=study).select_related("rater").first() if rater else None


def _remembered_rater(request: HttpRequest) -> Rater | None:
    rater = request.session.get(SESSION_KEY)
    return Rater.objects.filter(pk=rater).first() if rater else None


def with_counts(studies: QuerySet[Study]) -> QuerySet[Study]:
    """Each study with ``answers`` (its seats that are done) and ``stimuli`` (its items in use)."""
    done = Study.objects.filter(pk=OuterRef("pk"), seats__state="done")
    items = Item.objects.in_use().filter(study=OuterRef("pk")).order_by().values("study")
    return studies.annotate(answers=_count(done.order_by().values("pk"), "seats"), stimuli=_count(items, "pk"))


def _count(rows: QuerySet[Any], field: str) -> Coalesce:
    # A subquery each: two joined counts would multiply items by seats.
    counted = rows.annotate(number=Count(field)).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def minutes(study: Study) -> int:
    """About how long one rater is busy: as many items as the cap lets them judge."""
    items = study.stimuli  # type: ignore[attr-defined]
    judged = min(items, study.cap) if study.cap else items
    return max(1, math.ceil(judged * SECONDS_AN_ANSWER[Study.Kind(study.kind)] / 60))
