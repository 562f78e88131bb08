"""Claiming: the rater's current seat, and one ahead of it."""

from __future__ import annotations

import random
from datetime import datetime

from django.db import transaction

from annotation_site.raters.models import Enrolment
from annotation_site.rating import checks
from annotation_site.rating.assignment import hints
from annotation_site.rating.assignment.candidates import any_unseen, free_seats
from annotation_site.rating.assignment.clock import database_now
from annotation_site.rating.assignment.leases import lease_end, lock, release, release_expired
from annotation_site.rating.assignment.places import places_left
from annotation_site.rating.models import Seat

HELD = """
    SELECT seat.*, item.withdrawn_at FROM rating_seat seat JOIN studies_item item ON item.id = seat.item_id
    WHERE seat.enrolment_id = %s AND seat.state = 'leased' ORDER BY seat.ahead
"""


def may_rate(enrolment: Enrolment) -> bool:
    """Whether anything is handed out to this rater at all."""
    ended = enrolment.excluded_at or enrolment.screened_out_at or enrolment.left_at
    return enrolment.study.is_open and ended is None


@transaction.atomic
def claim_next(enrolment: Enrolment, *, rng: random.Random, now: datetime | None = None) -> Seat | None:
    """The rater's current seat: the open lease, renewed, or a newly leased one, of a check where one is due.

    None at the cap, when nothing is left for them, or when nothing is handed out.
    """
    now = now or database_now()
    enrolment = lock(enrolment)
    if not may_rate(enrolment):
        return None
    for seat in _leases(enrolment):
        if _keep(seat, enrolment, now, ahead=False):
            return seat
    return _lease(enrolment, rng=rng, now=now)


@transaction.atomic
def claim_ahead(enrolment: Enrolment, *, rng: random.Random, now: datetime | None = None) -> Seat | None:
    """The one seat leased beyond the current one, so that its pictures can be fetched; renewed if it is there already.

    It becomes the current one when that is answered. None without a current seat, and where claim_next gives none.
    """
    now = now or database_now()
    enrolment = lock(enrolment)
    held = _leases(enrolment)
    if not held or not may_rate(enrolment) or not _keep(held[0], enrolment, now, ahead=False):
        return None
    for seat in held[1:]:
        if _keep(seat, enrolment, now, ahead=True):
            return seat
    return _lease(enrolment, rng=rng, now=now, ahead=True)


def has_finished(enrolment: Enrolment) -> bool:
    """Whether nothing will come for this rater any more: the cap is reached, or every other item is fully judged."""
    if places_left(enrolment) <= 0:
        return True
    # One by one, for each has an index of its own.
    return not any(any_unseen(enrolment, state) for state in (Seat.State.FREE, Seat.State.PENDING, Seat.State.LEASED))


def _leases(enrolment: Enrolment) -> list[Seat]:
    """At most two, the current one first; those of items that were withdrawn meanwhile are given back."""
    held = Seat.objects.raw(HELD, [enrolment.pk])
    return [seat for seat in held if vars(seat)["withdrawn_at"] is None or not release(seat, enrolment)]


def _keep(seat: Seat, enrolment: Enrolment, now: datetime, *, ahead: bool) -> bool:
    """Renew a lease; False if it ended while we looked."""
    until = lease_end(enrolment, now)
    mine = Seat.objects.filter(pk=seat.pk, enrolment=enrolment, state=Seat.State.LEASED)
    seat.leased_until, seat.ahead = until, ahead
    return bool(mine.update(leased_until=until, ahead=ahead))


def _lease(enrolment: Enrolment, *, rng: random.Random, now: datetime, ahead: bool = False) -> Seat | None:
    if places_left(enrolment) <= 0:
        return None
    # Ahead as well: where pages prefetch, every seat is first leased ahead.
    check = checks.lease_due(enrolment, now, lease_end(enrolment, now), ahead=ahead)
    if check is not None:
        return check
    if hints.reaping_is_due(enrolment.study_id):
        release_expired(enrolment.study, now=now)
    seat = _take_free(enrolment, rng, now, ahead=ahead)
    # Nothing is free: what ran out just now is worth a second look.
    if seat is None and release_expired(enrolment.study, now=now):
        seat = _take_free(enrolment, rng, now, ahead=ahead)
    return seat


def _take_free(enrolment: Enrolment, rng: random.Random, now: datetime, *, ahead: bool) -> Seat | None:
    until = lease_end(enrolment, now)
    for seat in free_seats(enrolment, rng):
        taken = Seat.objects.filter(pk=seat.pk, state=Seat.State.FREE).update(
            state=Seat.State.LEASED, enrolment=enrolment, leased_until=until, ahead=ahead
        )
        if taken:
            seat.state, seat.enrolment, seat.leased_until, seat.ahead = Seat.State.LEASED, enrolment, until, ahead
            return seat
    return None
