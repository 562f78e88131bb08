"""How long each rater worked and how much they did, measured on the server's clock.

Time runs from one recorded moment to the next (consent, instructions read, practice and its feedback, answers), and no
stretch counts for longer than the scheme's ``item_seconds_most``: nobody is taken to have worked while a page
stood open overnight. An answer's own time begins when its stimulus was sent, or with the answer before it where that
came later, for the next item is sent ahead; what lies between is a pause. Late answers and corrections are work too.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from annotation_site.raters.models import Enrolment, PracticeAnswer
from annotation_site.rating.models import Judgement

MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Answered:
    """One revision of an answer: its seat, when its stimulus was sent and when it was taken."""

    seat: int
    shown_at: datetime
    answered_at: datetime


@dataclass(frozen=True)
class Record:
    """What the database knows of a rater's time: moments before the first item, in order, and the answers in order."""

    moments: tuple[datetime, ...] = ()
    answers: tuple[Answered, ...] = ()

    @property
    def items(self) -> int:
        """How many seats were answered."""
        return len({answer.seat for answer in self.answers})


@dataclass(frozen=True)
class Time:
    """Milliseconds on each seat's answer, and on everything else."""

    items: dict[int, int]
    other: int

    @property
    def total(self) -> int:
        return sum(self.items.values()) + self.other


def worked(record: Record, *, most_seconds: int) -> Time:
    """The time of a record, each stretch capped."""
    cap = most_seconds * 1000
    items: dict[int, int] = defaultdict(int)
    other = sum(_stretch(a, b, cap) for a, b in zip(record.moments, record.moments[1:], strict=False))
    before = record.moments[-1] if record.moments else None
    for answer in record.answers:
        start = answer.shown_at if before is None else max(before, answer.shown_at)
        if before is not None:
            other += _stretch(before, start, cap)
        items[answer.seat] += _stretch(start, answer.answered_at, cap)
        before = answer.answered_at if before is None else max(before, answer.answered_at)
    return Time(dict(items), other)


def _stretch(start: datetime, end: datetime, cap: int) -> int:
    return min(cap, max(0, (end - start) // MILLISECOND))


def records(enrolments: QuerySet[Enrolment]) -> dict[int, Record]:
    """Each enrolment's record, by its key, in three queries however many there are."""
    which = enrolments.order_by().values("pk")
    answers: dict[int, list[Answered]] = defaultdict(list)
    given = Judgement.objects.filter(enrolment__in=which).order_by("answered_at", "id")
    fields = given.values_list("enrolment", "seat", "shown_at", "answered_at")
    for pk, seat, shown_at, answered_at in fields.iterator(chunk_size=5000):
        answers[pk].append(Answered(seat, shown_at, answered_at))
    practised: dict[int, list[datetime | None]] = defaultdict(list)
    rows = PracticeAnswer.objects.filter(enrolment__in=which).values_list("enrolment", "answered_at", "feedback_at")
    for pk, *at in rows:
        practised[pk] += at
    return {each.pk: Record(_moments(each, practised[each.pk]), tuple(answers[each.pk])) for each in enrolments}


def _moments(enrolment: Enrolment, practised: list[datetime | None]) -> tuple[datetime, ...]:
    way = [enrolment.consented_at, enrolment.instructed_at, *practised, enrolment.ready_at, enrolment.screened_out_at]
    return tuple(sorted(moment for moment in way if moment is not None))
