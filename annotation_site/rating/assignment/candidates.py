"""The search for a free seat: lowest round first, from a random position, past what the rater has seen."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import hints
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item

# In a large study the search first tries a few short stretches of positions, so that a long one where all is taken,
# or seen by this rater, is left at once instead of walked through.
LARGE = 10_000
STRETCH = 100
STRETCHES = 4

Range = dict[str, int]


def free_seats(enrolment: Enrolment, rng: random.Random) -> Iterator[Seat]:
    """One candidate at a time; the caller takes it by a conditional update, or asks for the next."""
    free = Seat.objects.filter(study=enrolment.study_id, state=Seat.State.FREE)
    highest = hints.highest_position(enrolment.study_id)
    mine = unseen(free, enrolment).select_for_update(skip_locked=True).order_by("position")
    for number in _open_rounds(free, enrolment.study_id):
        for positions in _ranges(highest, rng):
            # A candidate that someone else took first is no longer free, so the same query finds the next one.
            while (seat := mine.filter(round=number, **positions).first()) is not None:
                yield seat


def unseen(seats: QuerySet[Seat], enrolment: Enrolment) -> QuerySet[Seat]:
    """Seats of items in use that this rater holds no seat of and gave no surplus answer to.

    Scalar subqueries, since the planner takes NOT EXISTS for an anti-join and reads the rater's whole history; none
    compared with NULL, which it believes to be true once in two hundred, and then sorts all rather than stop at one.
    """
    asked = Item.objects.in_use().filter(pk=OuterRef("item"))
    held = Seat.objects.filter(enrolment=enrolment, item=OuterRef("item"))
    # Any other answer of theirs stands in a seat that they hold.
    surplus = Judgement.objects.filter(enrolment=enrolment, surplus=True, seat__item=OuterRef("item"))
    marked = seats.alias(asked=_found(asked), held=_found(held), surplus=_found(surplus))
    return marked.exclude(asked=0).exclude(held=1).exclude(surplus=1)


def _found(rows: QuerySet[Any]) -> Coalesce:
    """1 or 0: whether there is a row."""
    return Coalesce(Subquery(rows.order_by().values(one=Value(1))[:1]), 0)


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
            yield {"position__gte": start, "position__lt": start + STRETCH}
            start = rng.randrange(highest + 1)
    yield {"position__gte": start}
    yield {"position__lt": start}
