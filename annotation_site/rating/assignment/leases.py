"""Leases: kept alive while a page is open, given back, and freed when they run out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from annotation_site import audit
from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment.clock import database_now
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item, Study

FREED: dict[str, Any] = {
    "state": Seat.State.FREE,
    "enrolment": None,
    "leased_until": None,
    "ahead": False,
    "ordinal": None,
}
LOCKED = """
    SELECT enrolment.*, study.state AS study_state
    FROM raters_enrolment enrolment JOIN studies_study study ON study.id = enrolment.study_id WHERE enrolment.id = %s
"""
# A claim frees no more than this of what others left behind; the rest is the next claim's, or the reaper's.
AT_ONCE = 100


def lock(enrolment: Enrolment) -> Enrolment:
    """The enrolment read again under a lock, its study's state with it: two tabs queue up, and each counts what the
    other took."""
    # Plain SQL, as in `places`: this is run twice for every answer. Without row locks, SQLite serialises transactions.
    lock = " FOR UPDATE OF enrolment" if connection.features.has_select_for_update_of else ""
    [locked] = Enrolment.objects.raw(LOCKED + lock, [enrolment.pk])
    locked.study, locked.study.state = enrolment.study, vars(locked)["study_state"]
    return locked


def lease_end(enrolment: Enrolment, now: datetime) -> datetime:
    """When a lease that is given or renewed now runs out."""
    return now + timedelta(minutes=enrolment.study.lease_minutes)


def renew(seat: Seat, enrolment: Enrolment, *, now: datetime | None = None) -> datetime | None:
    """Extend a lease; when it runs out now, None if it is no longer theirs, or they are excluded."""
    if enrolment.excluded_at:
        return None
    until = lease_end(enrolment, now or database_now())
    mine = Seat.objects.filter(pk=seat.pk, enrolment=enrolment, state=Seat.State.LEASED)
    return until if mine.update(leased_until=until) else None


@transaction.atomic
def heartbeat(enrolment: Enrolment, now: datetime) -> datetime | None:
    """Extend all that the rater holds; when it runs out now, None if they hold nothing or are excluded."""
    # Two seats at once: without the lock, a claim that renews them in the other order would wait for this in a circle.
    enrolment = lock(enrolment)
    if enrolment.excluded_at:
        return None
    until = lease_end(enrolment, now)
    mine = Seat.objects.filter(enrolment=enrolment, state=Seat.State.LEASED)
    return until if mine.update(leased_until=until) else None


def release(seat: Seat, enrolment: Enrolment) -> bool:
    """Give a leased seat back unanswered."""
    mine = Seat.objects.filter(pk=seat.pk, enrolment=enrolment, state=Seat.State.LEASED)
    return bool(mine.update(**FREED))


@transaction.atomic
def release_all(enrolment: Enrolment) -> int:
    """Give back all that the rater holds unanswered; how many seats."""
    enrolment = lock(enrolment)
    return Seat.objects.filter(enrolment=enrolment, state=Seat.State.LEASED).update(**FREED)


@transaction.atomic
def take_back(enrolment: Enrolment, *, reason: str = "") -> int:
    """What somebody else decides: give back all that the rater holds unanswered, and note it; how many seats."""
    freed = release_all(enrolment)
    if freed:
        audit.note(enrolment, reason, leased_seats=(freed, 0))
    return freed


@transaction.atomic
def release_study(study: Study, *, reason: str = "") -> int:
    """Give back all that anybody holds unanswered in the study, while its pages are open; how many seats.

    A late answer is still taken where nobody else has the seat by then. For checks as well.
    """
    freed = 0
    for enrolment in Enrolment.objects.filter(study=study, seats__state=Seat.State.LEASED).distinct().order_by("pk"):
        enrolment.study = study
        freed += release_all(enrolment)
    if freed:
        audit.note(study, reason, leased_seats=(freed, 0))
    return freed


@transaction.atomic(savepoint=False)
def release_expired(study: Study | None = None, *, now: datetime, limit: int = AT_ONCE) -> int:
    """Free up to ``limit`` leases, of one study or of all, that have run out by the database's clock; how many."""
    expired = Seat.objects.filter(state=Seat.State.LEASED, leased_until__lt=now)
    if study is not None:
        expired = expired.filter(study=study)
    # Skipping what is locked, so that two reapers, or one and a heartbeat, never wait for each other in a circle.
    some = expired.order_by("leased_until").select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit]
    # Not as a subquery of the update, which PostgreSQL may run, and lock, once for each row.
    pks = list(some)
    return expired.filter(pk__in=pks).update(**FREED) if pks else 0


def release_all_expired(*, now: datetime) -> int:
    """The reaper's round: free every lease that has run out, a hundred a transaction; how many."""
    total = 0
    while freed := release_expired(now=now):
        total += freed
    return total


@transaction.atomic
def reopen_seats(enrolment: Enrolment, *, reason: str = "") -> int:
    """Free the seats of an excluded rater for others; how many.

    Their judgements stay stored as surplus: not counted, not even if the exclusion is lifted later, since by then
    others may have taken the places. Checks keep their answers, which tell why the rater was excluded. A rater who is
    not excluded keeps all seats.
    """
    enrolment = lock(enrolment)
    if enrolment.excluded_at is None:
        return 0
    release_all(enrolment)
    rated = {"item__study": enrolment.study_id, "item__purpose": Item.Purpose.RATED}
    seats = Seat.objects.filter(enrolment=enrolment, state=Seat.State.DONE, **rated)
    given = Judgement.objects.filter(enrolment=enrolment, seat__in=seats.values("pk"))
    given.update(surplus=True)
    freed = seats.update(**FREED)
    if freed:
        audit.note(enrolment, reason, seats_kept=(freed, 0))
    return freed
