"""What the way in shows, with and without a source."""

from __future__ import annotations

import math
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from annotation_site.raters.consent import Consent, consent_of
from annotation_site.raters.models import Enrolment, Rater, Source
from annotation_site.studies.models import Item, Study
from annotation_site.studies.texts import texts_of

SECONDS_AN_ANSWER = {Study.Kind.LIKERT: 8, Study.Kind.PRESENCE: 6, Study.Kind.CHANGE: 8}
SESSION_KEY = "rater"


def join_page(
    request: HttpRequest,
    study: Study,
    source: Source | None = None,
    *,
    enrolment: Enrolment | None = None,
    error: str = "",
) -> HttpResponse:
    """What the study is, and the form of consent; "Go on" for somebody whom this browser knows."""
    texts = texts_of(study, get_language() or "")
    context: dict[str, Any] = {
        "study": study,
        "source": source,
        "enrolment": enrolment,
        "minutes": minutes(study),
        "consent": consent_of(study, get_language() or ""),
        "question": texts.question,
        "anchors": texts.anchors,
        "error": error,
    }
    return render(request, "raters/join.html", context, status=422 if error else 200)


def wrong_consent(request: HttpRequest, study: Study) -> tuple[Consent, str]:
    """The consent that is asked for now, and what is wrong with the one that was sent; empty for nothing."""
    consent = consent_of(study, get_language() or "")
    if request.POST.get("consent") != "yes":
        return consent, "no consent"
    return consent, "" if request.POST.get("version", consent.version) == consent.version else "another version"


def remembered(request: HttpRequest, study: Study) -> Enrolment | None:
    """This browser's part in the study, if it has one."""
    rater = request.session.get(SESSION_KEY)
    return Enrolment.objects.filter(rater=rater, study=study).select_related("rater").first() if rater else None


def remembered_rater(request: HttpRequest) -> Rater | None:
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
    items = vars(study).get("stimuli")
    if items is None:
        items = study.items.in_use().count()
    judged = min(items, study.cap) if study.cap else items
    return max(1, math.ceil(judged * SECONDS_AN_ANSWER[Study.Kind(study.kind)] / 60))
