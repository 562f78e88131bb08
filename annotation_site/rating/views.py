"""The rater's screens: one stimulus a page, the last answer reopened, and the end."""

from __future__ import annotations

import random
import uuid
from datetime import datetime

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation_site.lookups import Lookup
from annotation_site.raters.models import Enrolment
from annotation_site.rating import assignment, flow, pages
from annotation_site.rating.context import read_context
from annotation_site.rating.forms import AnswerForm, form_class, milliseconds
from annotation_site.rating.links import enrolment_or_404
from annotation_site.rating.models import Judgement, Seat
from annotation_site.rating.tickets import BadTicket, Ticket

RANDOM = random.SystemRandom()
SEEN = ("item__generation__recipe", "item__word__prompt", "item__second_word")
SHOWN_SEAT = Lookup(lambda: Seat.objects.select_related(*SEEN), by="pk")
ANSWERED_SEAT = Lookup(lambda: Seat.objects.select_related("item"), by="pk")


# The secret link and the signed ticket say who answers; a cookie adds nothing, and an answer must not be lost because
# one was blocked, or changed by a sign-in in another tab.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, token: str) -> HttpResponse:
    enrolment = enrolment_or_404(token)
    if request.method == "POST":
        return _submit(request, enrolment, now=assignment.database_now())
    return _show_next(request, enrolment, now=assignment.database_now())


def _show_next(request: HttpRequest, enrolment: Enrolment, *, now: datetime) -> HttpResponse:
    step = flow.next_step(enrolment, now)
    if step.kind is not flow.Kind.ITEM:
        return redirect(step.address)
    seat = assignment.claim_next(enrolment, rng=RANDOM, now=now)
    if seat is None and assignment.has_finished(enrolment):
        enrolment.complete()
        return redirect("done", token=enrolment.token)
    if seat is None:
        # Others hold the rest, or its images are not made yet: this page, reloaded, goes on when there is something.
        return render(request, "rating/done.html", pages.end_page(enrolment))
    return _item(request, pages.item_page(enrolment, SHOWN_SEAT.get(seat.pk), now=now))


def _submit(request: HttpRequest, enrolment: Enrolment, *, now: datetime) -> HttpResponse:
    ticket, key = _credentials_or_404(request, enrolment)
    form = form_class(enrolment.study)(request.POST)
    if not form.is_valid():
        return _again(request, enrolment, SHOWN_SEAT.get(ticket.seat), form, ticket, key)
    seat = ANSWERED_SEAT.get(ticket.seat)
    try:
        judgement = assignment.record(
            seat=seat,
            enrolment=enrolment,
            answer=form.to_answer(),
            key=key,
            shown_at=ticket.shown_at,
            now=now,
            browser_milliseconds=milliseconds(request.POST.get("browser_milliseconds", "")),
            context=read_context(request.POST),
        )
    except assignment.KeyReused:
        return _first_answer_stands(request, enrolment, key)
    if request.headers.get("X-Requested-With") == "fetch":
        # The page's script shows the next item in place: sent at once, it saves a way there and back. The judgement's
        # enrolment was read under the lock, and knows what followed from the answer.
        return _show_next(request, judgement.enrolment, now=now)
    return redirect("rate", token=enrolment.token)


@csrf_exempt
@never_cache
@require_POST
def ahead(request: HttpRequest, token: str) -> JsonResponse:
    """Lease the rater's next item and tell where its pictures are; empty when there is none."""
    enrolment = enrolment_or_404(token)
    seat = assignment.claim_ahead(enrolment, rng=RANDOM, now=assignment.database_now())
    return JsonResponse(pages.ahead(SHOWN_SEAT.get(seat.pk).item, enrolment.study) if seat else {})


def _again(
    request: HttpRequest, enrolment: Enrolment, seat: Seat, form: AnswerForm, ticket: Ticket, key: uuid.UUID
) -> HttpResponse:
    """The same page with the error said; ticket and key stay, for it is still the same submission."""
    page = pages.item_page(enrolment, seat, now=ticket.shown_at, form=form)
    return _item(request, page | {"key": key}, status=422)


def _first_answer_stands(request: HttpRequest, enrolment: Enrolment, key: uuid.UUID) -> HttpResponse:
    stored = _judgements(enrolment).get(key=key)
    latest = _last_answer(enrolment)
    context = {
        "enrolment": enrolment,
        "study": enrolment.study,
        "answer": pages.answer_words(stored),
        "can_undo": assignment.may_rate(enrolment) and latest is not None and latest.seat_id == stored.seat_id,
    }
    return render(request, "rating/already_answered.html", context, status=409)


@never_cache
@require_safe
def last(request: HttpRequest, token: str) -> HttpResponse:
    """The last answer reopened. It stands until another one is submitted."""
    enrolment = enrolment_or_404(token)
    judgement = _last_answer(enrolment)
    if judgement is None or not assignment.may_rate(enrolment):
        return redirect("rate", token=token)
    now = assignment.database_now()
    return _item(request, pages.item_page(enrolment, judgement.seat, now=now, previous=judgement))


@never_cache
@require_safe
def done(request: HttpRequest, token: str) -> HttpResponse:
    enrolment = enrolment_or_404(token)
    # The completion code is not for those who still have items to judge.
    if assignment.may_rate(enrolment) and enrolment.completed_at is None:
        return redirect("rate", token=token)
    return render(request, "rating/done.html", pages.end_page(enrolment))


def _item(request: HttpRequest, context: dict[str, object], status: int = 200) -> HttpResponse:
    study = context["study"]
    return render(request, f"rating/{study.kind}.html", context, status=status)  # type: ignore[attr-defined]


def _credentials_or_404(request: HttpRequest, enrolment: Enrolment) -> tuple[Ticket, uuid.UUID]:
    try:
        ticket = Ticket.read(request.POST.get("ticket", ""), enrolment)
        return ticket, uuid.UUID(request.POST.get("key", ""))
    except (BadTicket, ValueError) as error:
        raise Http404(
            _("This form was not made for you, or was changed on the way. Nothing was stored: open your link again.")
        ) from error


def _judgements(enrolment: Enrolment) -> QuerySet[Judgement]:
    return enrolment.judgements.select_related("seat__study", *(f"seat__{name}" for name in SEEN))


def _last_answer(enrolment: Enrolment) -> Judgement | None:
    return _judgements(enrolment).filter(current=True).order_by("-id").first()
