"""The search for a free seat: lowest round first, from a random position, past what the rater has seen."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import hints
from annotation_site.rating.models import Seat

# In a large study the search first tries a few short stretches of positions, so that a long one where all is taken,
# or seen by this rater, is left at once instead of walked through.
LARGE = 10_000
STRETCH = 100
STRETCHES = 4

# Written out, since the ORM took longer to write it than the database to answer. Scalar subqueries, for the planner
# takes NOT EXISTS for an anti-join and reads the rater's whole history; none compared with NULL, which it believes to
# be true once in two hundred, and then sorts all rather than stop at the first. Any other answer of the rater's than
# a surplus one stands in a seat that they hold.
UNSEEN = """
    SELECT seat.* FROM rating_seat seat
    WHERE seat.study_id = %(study)s AND seat.state = %(state)s
    AND COALESCE((SELECT 1 FROM studies_item item WHERE item.id = seat.item_id
                  AND item.withdrawn_at IS NULL AND item.purpose = '' LIMIT 1), 0) <> 0
    AND COALESCE((SELECT 1 FROM rating_seat held
                  WHERE held.enrolment_id = %(enrolment)s AND held.item_id = seat.item_id LIMIT 1), 0) <> 1
    AND COALESCE((SELECT 1 FROM rating_judgement late JOIN rating_seat place ON place.id = late.seat_id
                  WHERE late.enrolment_id = %(enrolment)s AND late.surplus AND place.item_id = seat.item_id
                  LIMIT 1), 0) <> 1
"""
FIRST = """
    AND seat.round = %(round)s AND seat.position >= %(start)s AND seat.position < %(end)s
    ORDER BY seat.position LIMIT 1
"""

Range = tuple[int, int]


def free_seats(enrolment: Enrolment, rng: random.Random) -> Iterator[Seat]:
    """One candidate at a time; the caller takes it by a conditional update, or asks for the next."""
    free = Seat.objects.filter(study=enrolment.study_id, state=Seat.State.FREE)
    highest = hints.highest_position(enrolment.study_id)
    for number in _open_rounds(free, enrolment.study_id):
        for start, end in _ranges(highest, rng):
            # A candidate that someone else took first is no longer free, so the same query finds the next one.
            while (seat := _first(enrolment, round=number, start=start, end=end)) is not None:
                yield seat


def _first(enrolment: Enrolment, **place: int) -> Seat | None:
    # SQLite knows no row locks, and runs one writing transaction at a time.
    lock = " FOR UPDATE OF seat SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    found = Seat.objects.raw(UNSEEN + FIRST + lock, _of(enrolment, Seat.State.FREE) | place)
    return next(iter(found), None)


def any_unseen(enrolment: Enrolment, state: str) -> bool:
    """Whether a seat in this state is on an item in use that the rater has not seen."""
    found = Seat.objects.raw(UNSEEN + " LIMIT 1", _of(enrolment, state))
    return next(iter(found), None) is not None


def _of(enrolment: Enrolment, state: str) -> dict[str, Any]:
    return {"study": enrolment.study_id, "enrolment": enrolment.pk, "state": str(state)}


def _open_rounds(free: QuerySet[Seat], study: int) -> Iterator[int]:
    """The rounds with free seats, ascending; one that the hint left out comes last."""
    lowest = hints.lowest_open_round(study)
    yield lowest
    yield from _ascending(free.filter(round__gt=lowest))
    if lowest:
        yield from _ascending(free.filter(round__lt=lowest))


def _ascending(free: QuerySet[Seat]) -> Iterator[int]:
    rounds = free.order_by("round").values_list("round", flat=True)
    number = rounds.first()
    while number is not None:
        yield number
        number = rounds.filter(round__gt=number).first()


def _ranges(highest: int, rng: random.Random) -> Iterator[Range]:
    """Where to look: in a large study a few stretches at random, then from a random start to the end and around."""
    start = rng.randrange(highest + 1)
    if highest >= LARGE:
        for _ in range(STRETCHES):
            yield start, start + STRETCH
            start = rng.randrange(highest + 1)
    yield start, highest + 1
    yield 0, start
