"""Storing an answer for good."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from annotation_site.raters.models import Enrolment
from annotation_site.rating import adaptive, checks
from annotation_site.rating.assignment.answers import Answer, KeyReused
from annotation_site.rating.assignment.clock import database_now
from annotation_site.rating.assignment.leases import lock
from annotation_site.rating.assignment.places import given, next_ordinal, places_left
from annotation_site.rating.models import Judgement, Seat


def record(
    *,
    seat: Seat,
    enrolment: Enrolment,
    answer: Answer,
    key: uuid.UUID,
    shown_at: datetime,
    now: datetime | None = None,
    browser_milliseconds: int | None = None,
    context: Mapping[str, Any] | None = None,
) -> Judgement:
    """Store an answer and return its judgement; the caller has made sure that the rater was shown the seat.

    The same key again returns the first judgement, or raises KeyReused when the answer or the seat differs. An answer
    to a seat whose lease ran out is counted if the seat is still free, and kept as surplus if somebody else has taken
    it. A second answer to one's own seat becomes the next revision. ``context`` holds further fields of the
    judgement: how it was shown.
    """
    answer.check(enrolment.study.kind)
    fields = {
        **answer.as_dict(),
        "shown_at": shown_at,
        "browser_milliseconds": browser_milliseconds,
        **(context or {}),
    }
    try:
        return _record(seat, enrolment, key, now, fields)
    except IntegrityError:
        # The submission's other copy came first: all of this one is undone, and the other's row decides. Copies are
        # rare, so that no answer is made to look for one beforehand.
        stored = Judgement.objects.filter(enrolment=enrolment, key=key).first()
        if stored is None:
            raise
        return _replayed(stored, seat, answer)


@transaction.atomic
def _record(
    seat: Seat, enrolment: Enrolment, key: uuid.UUID, now: datetime | None, fields: dict[str, Any]
) -> Judgement:
    enrolment = lock(enrolment)
    surplus = not _occupy(seat, enrolment)
    revision = given(seat, enrolment) + 1
    if revision > 1:
        Judgement.objects.filter(seat=seat, enrolment=enrolment, current=True).update(current=False)
    now = now or database_now()
    judgement = Judgement.objects.create(
        seat=seat,
        enrolment=enrolment,
        key=key,
        revision=revision,
        surplus=surplus,
        answered_at=now,
        **fields,
    )
    if seat.item.purpose:
        checks.settle(judgement, now)
    elif enrolment.study.adaptive_stages:
        adaptive.extend(judgement)
    return judgement


def _replayed(stored: Judgement, seat: Seat, answer: Answer) -> Judgement:
    if stored.seat_id != seat.pk:
        raise KeyReused(f"Submission {stored.key} was stored for seat {stored.seat_id}, not for seat {seat.pk}.")
    if stored.answer != answer.as_dict():
        raise KeyReused(
            f"Submission {stored.key} was stored with another answer ({stored.answer_text}); that one stands."
        )
    return stored


def _occupy(seat: Seat, enrolment: Enrolment) -> bool:
    """Make the seat the rater's for good; False if somebody else holds it or the rules leave no place."""
    this = Seat.objects.filter(pk=seat.pk)
    done: dict[str, Any] = {"state": Seat.State.DONE, "leased_until": None, "ahead": False}
    if not seat.item.purpose:
        done["ordinal"] = next_ordinal(enrolment)
    if this.filter(enrolment=enrolment, state=Seat.State.LEASED).update(**done):
        return True
    if this.filter(enrolment=enrolment, state=Seat.State.DONE).exists():
        return True
    if enrolment.excluded_at or places_left(enrolment) <= 0:
        return False
    if Seat.objects.filter(enrolment=enrolment, item=seat.item_id).exists():
        return False
    return bool(this.filter(state=Seat.State.FREE).update(enrolment=enrolment, **done))
