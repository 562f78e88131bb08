"""Rows as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language
from rest_framework.request import Request

from annotation_site.raters.consent import consent_of
from annotation_site.raters.models import Enrolment
from annotation_site.rating import assignment, pages
from annotation_site.rating.forms import FIRST, SECOND
from annotation_site.rating.models import Judgement, Seat
from annotation_site.rating.tickets import Ticket
from annotation_site.stimuli.models import Word
from annotation_site.studies import questions
from annotation_site.studies.models import Study
from annotation_site.studies.texts import texts_of


def study(row: Study) -> dict[str, Any]:
    locale = get_language() or ""
    texts, consent = texts_of(row, locale), consent_of(row, locale)
    return {
        "slug": row.slug,
        "title": row.title,
        "kind": row.kind,
        "state": row.state,
        "question": texts.question,
        "instructions": texts.instructions,
        "consent": {"version": consent.version, "paragraphs": [str(line) for line in consent.paragraphs]},
    }


def enrolled(enrolment: Enrolment, request: Request) -> dict[str, Any]:
    return {
        "token": enrolment.token,
        "link": request.build_absolute_uri(reverse("rate", args=[enrolment.token])),
        "study": enrolment.study.slug,
        "pseudonym": enrolment.rater.pseudonym,
        "consent_version": enrolment.consent_version,
    }


def own(enrolment: Enrolment) -> dict[str, Any]:
    return {
        "study": enrolment.study.slug,
        "pseudonym": enrolment.rater.pseudonym,
        "progress": progress(enrolment),
        "completion_code": completion_code(enrolment),
    }


def progress(enrolment: Enrolment) -> dict[str, int]:
    done, total = assignment.progress(enrolment)
    return {"done": done, "total": total}


def completion_code(enrolment: Enrolment) -> str | None:
    """The code, for those to whom the end page would show it."""
    if assignment.may_rate(enrolment) and enrolment.completed_at is None:
        return None
    page = pages.end_page(enrolment)
    return page["end"].code if page["complete"] else None


def seat(row: Seat, enrolment: Enrolment, request: Request, *, now: datetime) -> dict[str, Any]:
    """A leased seat with what is to be judged; ``row`` has its item's generation, recipe, words and prompt loaded."""
    shown = pages.stimulus(row.item, enrolment, turn=row.round)
    likert = enrolment.study.kind == Study.Kind.LIKERT
    first, second = _pictures(row, shown, request)
    return {
        "id": row.pk,
        "ticket": Ticket(row.pk, enrolment.pk, now).sign(),
        "leased_until": row.leased_until,
        "question": shown["question"],
        "choices": [vars(choice) for choice in [*shown["answers"], *shown["opt_outs"]]],
        "several": enrolment.study.kind == Study.Kind.PRESENCE,
        "prompt": None if enrolment.study.kind == Study.Kind.PRESENCE else first["prompt"],
        "target": None if enrolment.study.kind == Study.Kind.PRESENCE else first["target"],
        "image": first["image"],
        "second": second,
        "heat_map": request.build_absolute_uri(shown["overlay_url"]) if likert else None,
        "heat_map_values": request.build_absolute_uri(shown["map"]) if likert else None,
    }


def _pictures(row: Seat, shown: dict[str, Any], request: Request) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The picture asked about, and the one to compare it with where there is one, in the order of the page."""
    item = row.item
    if item.second_generation_id is None:
        return _picture(shown["image_url"], item.word, request), None
    first, second = (_picture(each["image_url"], each["word"], request) for each in shown["pictures"])
    return first, second


def _picture(address: str, word: Word, request: Request) -> dict[str, Any]:
    return {
        "image": request.build_absolute_uri(address),
        "prompt": word.prompt.text,
        "target": {"text": word.text, "start": word.start, "end": word.end},
    }


def judgement(row: Judgement) -> dict[str, Any]:
    return {
        "seat": row.seat_id,
        "answer": answer_values(row),
        "revision": row.revision,
        "surplus": row.surplus,
        "answered_at": row.answered_at,
    }


def answer_values(row: Judgement) -> list[str]:
    """The values of the choices that were made."""
    if row.opt_out:
        return [row.opt_out]
    if row.change:
        return [row.change]
    if row.rating:
        return [str(row.rating)]
    seen = [name for name, present in ((FIRST, row.first_present), (SECOND, row.second_present)) if present]
    return seen or [questions.NEITHER.value]
