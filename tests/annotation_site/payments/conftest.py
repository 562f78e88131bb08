"""Raters who answered at known moments, pay schemes, and ledgers that a test may leave behind."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from annotation_site.payments.models import PayScheme
from annotation_site.raters.models import Enrolment, Rater, Source
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Study

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def scheme_of(study: Study | None = None, **fields: Any) -> PayScheme:
    """Version 1, made an hour before the start; not saved."""
    given = {"version": 1, "currency": "USD", "made_at": after(-3600), "made_by": "ada"} | fields
    return PayScheme(study=study, **given)


def make_scheme(study: Study, **fields: Any) -> PayScheme:
    scheme = scheme_of(study, **fields)
    scheme.save()
    return scheme


def came_by(study: Study, paid_by: str) -> Source:
    return Source.objects.create(study=study, name=paid_by, kind=Source.Kind.PARAMETERS, paid_by=paid_by)


def rated(study: Study, answers: int = 2, *, simulated: bool = False, source: Source | None = None) -> Enrolment:
    """A rater who enrolled at the start, gave an answer each ten seconds, and finished."""
    place = Enrolment.objects.filter(arrived_by=source).count() + 1 if source else None
    enrolment = Enrolment.objects.create(
        rater=Rater.objects.create(simulated=simulated), study=study, arrived_by=source, place=place,
        consented_at=START, ready_at=START, completed_at=after(10 * answers),
    )  # fmt: skip
    Enrolment.objects.filter(pk=enrolment.pk).update(created_at=START)
    seats = Seat.objects.filter(study=study, state=Seat.State.FREE)
    taken = list(seats.exclude(item__in=Seat.objects.filter(enrolment=enrolment).values("item")).order_by("item", "pk"))
    by_item = list({seat.item_id: seat for seat in taken}.values())[:answers]
    assert len(by_item) == answers
    for number, seat in enumerate(by_item, start=1):
        Seat.objects.filter(pk=seat.pk).update(state=Seat.State.DONE, enrolment=enrolment, ordinal=number)
        Judgement.objects.create(
            seat=seat, enrolment=enrolment, key=uuid.uuid4(), rating=3,
            shown_at=after(10 * number - 10), answered_at=after(10 * number),
        )  # fmt: skip
    enrolment.refresh_from_db()
    return enrolment


@pytest.fixture
def paying(make_study: Callable[..., Study]) -> Study:
    """A study of four items that pays 0.50 USD for each answer."""
    study = make_study(items=4, seats_per_item=6)
    make_scheme(study, per_item=50)
    return study
