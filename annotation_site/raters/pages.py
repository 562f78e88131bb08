"""What the way in shows, with and without a source."""

from __future__ import annotations

import math
from typing import Any

from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from annotation_site.counting import number
from annotation_site.raters.consent import Consent, consent_of
from annotation_site.raters.models import Enrolment, Rater, Source
from annotation_site.raters.pace import seconds_an_answer
from annotation_site.studies.models import Item, Study
from annotation_site.studies.texts import texts_of

# The pseudonym, and not the row: erasing a rater's data gives the row another one, and no browser leads to it then.
SESSION_KEY, ARRIVALS = "rater", "arrivals"


def join_page(
    request: HttpRequest,
    study: Study,
    source: Source | None = None,
    *,
    enrolment: Enrolment | None = None,
    error: str = "",
) -> HttpResponse:
    """What the study is, and the form of consent; "Go on" for somebody whom this browser knows."""
    texts, answers = texts_of(study, get_language() or ""), answers_each(study)
    context: dict[str, Any] = {
        "study": study,
        "source": source,
        "enrolment": enrolment,
        "answers": answers,
        "minutes": minutes(study, answers),
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


def remember(request: HttpRequest, enrolment: Enrolment) -> None:
    request.session[SESSION_KEY] = enrolment.rater.pseudonym


def forget_rater(request: HttpRequest) -> None:
    """Keep nothing in this browser's session of whoever rated in it."""
    for name in (SESSION_KEY, ARRIVALS):
        request.session.pop(name, None)


def remembered(request: HttpRequest, study: Study) -> Enrolment | None:
    """This browser's part in the study, if it has one."""
    name = request.session.get(SESSION_KEY)
    parts = Enrolment.objects.filter(rater__pseudonym=name, study=study)
    return parts.select_related("rater").first() if name else None


def remembered_rater(request: HttpRequest) -> Rater | None:
    name = request.session.get(SESSION_KEY)
    return Rater.objects.filter(pseudonym=name).first() if name else None


def with_counts(studies: QuerySet[Study]) -> QuerySet[Study]:
    """Each study with ``answers`` (its items' seats that people have filled) and ``stimuli`` (its items in use)."""
    by_people = {"seats__item__purpose": Item.Purpose.RATED, "seats__enrolment__rater__simulated": False}
    done = Study.objects.filter(pk=OuterRef("pk"), seats__state="done", **by_people)
    items = Item.objects.in_use().filter(study=OuterRef("pk")).order_by().values("study")
    return studies.annotate(answers=number(done.order_by().values("pk"), "seats"), stimuli=number(items))


def answers_each(study: Study) -> int:
    """How many answers one rater may give: as many items as the cap lets them judge."""
    items = vars(study).get("stimuli")
    if items is None:
        items = study.items.in_use().count()
    return min(items, study.cap) if study.cap else items


def minutes(study: Study, answers: int | None = None) -> int:
    """About how long one rater is busy: what the study says, or as long as their answers take."""
    if study.expected_minutes:
        return study.expected_minutes
    judged = answers_each(study) if answers is None else answers
    return max(1, math.ceil(judged * seconds_an_answer(study.kind) / 60))
