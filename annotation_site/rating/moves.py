"""Opening, pausing, resuming and closing a study: what will happen, said beforehand, and the doing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from annotation_site.rating import assignment
from annotation_site.rating.assignment.readiness import cap_of
from annotation_site.rating.models import Judgement, Seat
from annotation_site.rating.seats import Seats, in_use, seats
from annotation_site.studies.models import Study

State = Study.State


@dataclass(frozen=True)
class Situation:
    """A study's seats, the current answers in them, and how many raters hold a lease that has not run out.

    A rater at a check is at work all the same.
    """

    seats: Seats
    answers: int
    at_work: int


def situation(study: Study, now: datetime) -> Situation:
    at_work = Seat.objects.filter(study=study, state=Seat.State.LEASED, leased_until__gt=now)
    return Situation(
        seats=seats(study),
        answers=Judgement.objects.filter(seat__in=in_use(study), current=True, surplus=False).count(),
        at_work=at_work.aggregate(n=Count("enrolment", distinct=True))["n"],
    )


@dataclass(frozen=True)
class Move:
    """A change of a study's state, allowed from some states: what it brings, and what to say when it is done."""

    name: str
    label: str
    states: tuple[str, ...]
    brings: Callable[[Study, Situation], list[str]]
    do: Callable[[Study, str], str]
    for_good: bool = False


def _opening(study: Study, now: Situation) -> list[str]:
    items = study.items.in_use().count()
    places = items * study.seats_per_item
    return [
        f"Seats to be made: {places}, for {items} items with {study.seats_per_item} each.",
        f"Judgements that one rater may give: at most {cap_of(study, places)}.",
        "Raters who open the study's link can join at once.",
        "Rules, texts, practice and checks are fixed from then on: answers depend on them.",
    ]


def _pausing(study: Study, now: Situation) -> list[str]:
    return [
        _kept(now),
        _at_work(now),
        "Nothing more is handed out, and nobody new joins, until the study is resumed.",
    ]


def _resuming(study: Study, now: Situation) -> list[str]:
    return [
        f"Seats that are free and handed out again: {now.seats.free}. Waiting for their images: {now.seats.pending}.",
        _kept(now),
        "Raters go on by the links that they have.",
    ]


def _closing(study: Study, now: Situation) -> list[str]:
    return [
        _kept(now),
        f"Seats without an answer: {now.seats.left} of {now.seats.total}. They get none.",
        _at_work(now),
        "A closed study stays closed: it cannot be opened again.",
    ]


def _kept(now: Situation) -> str:
    return f"Answers so far: {now.answers}. They stay as they are."


def _at_work(now: Situation) -> str:
    return f"Raters at work now: {now.at_work}. Seats leased out: {now.seats.leased}. These answers are still taken."


def _open(study: Study, reason: str) -> str:
    return f"“{study.title}” is open, with {assignment.open_study(study, reason=reason)} seats: raters can join."


def _resume(study: Study, reason: str) -> str:
    assignment.open_study(study, reason=reason)
    return f"“{study.title}” is open again."


def _pause(study: Study, reason: str) -> str:
    if not assignment.pause_study(study, reason=reason):
        raise assignment.StudyNotReady("Only an open study can be paused.")
    return f"“{study.title}” is paused: nothing more is handed out."


def _close(study: Study, reason: str) -> str:
    if not assignment.close_study(study, reason=reason):
        raise assignment.StudyNotReady("Only an open or a paused study can be closed.")
    return f"“{study.title}” is closed for good."


MOVES = {
    move.name: move
    for move in (
        Move("open", "Open to raters", (State.DRAFT,), _opening, _open),
        Move("pause", "Pause", (State.OPEN,), _pausing, _pause),
        Move("resume", "Resume", (State.PAUSED,), _resuming, _resume),
        Move("close", "Close for good", (State.OPEN, State.PAUSED), _closing, _close, for_good=True),
    )
}
