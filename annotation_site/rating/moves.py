"""Opening, pausing, resuming and closing a study: what will happen, said beforehand, and the doing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from annotation_site.rating import assignment
from annotation_site.rating.assignment.readiness import cap_of
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item, Study

State = Study.State


@dataclass(frozen=True)
class Standing:
    """A study's seats by state, its current answers, and how many raters hold a lease that has not run out.

    Seats and answers are those of items in use, as in every report; a rater at a check is at work all the same.
    """

    free: int
    pending: int
    leased: int
    done: int
    answers: int
    at_work: int

    @property
    def left(self) -> int:
        return self.free + self.pending + self.leased


def standing(study: Study, now: datetime) -> Standing:
    every = Seat.objects.filter(study=study)
    seats = every.filter(item__in=Item.objects.in_use())
    by_state = dict(seats.order_by().values_list("state").annotate(Count("pk")))
    at_work = every.filter(state=Seat.State.LEASED, leased_until__gt=now)
    return Standing(
        **{state: by_state.get(state, 0) for state in ("free", "pending", "leased", "done")},
        answers=Judgement.objects.filter(seat__in=seats, current=True, surplus=False).count(),
        at_work=at_work.aggregate(n=Count("enrolment", distinct=True))["n"],
    )


@dataclass(frozen=True)
class Move:
    """A change of a study's state, allowed from some states: what it brings, and what to say when it is done."""

    name: str
    label: str
    states: tuple[str, ...]
    brings: Callable[[Study, Standing], list[str]]
    do: Callable[[Study, str], str]
    for_good: bool = False


def _opening(study: Study, now: Standing) -> list[str]:
    items = study.items.in_use().count()
    seats = items * study.seats_per_item
    return [
        f"Seats to be made: {seats}, for {items} items with {study.seats_per_item} each.",
        f"Judgements that one rater may give: at most {cap_of(study, seats)}.",
        "Raters who open the study's link can join at once.",
        "Rules, texts, practice and checks are fixed from then on: answers depend on them.",
    ]


def _pausing(study: Study, now: Standing) -> list[str]:
    return [
        _kept(now),
        _at_work(now),
        "Nothing more is handed out, and nobody new joins, until the study is resumed.",
    ]


def _resuming(study: Study, now: Standing) -> list[str]:
    return [
        f"Seats that are free and handed out again: {now.free}. Waiting for their images: {now.pending}.",
        _kept(now),
        "Raters go on by the links that they have.",
    ]


def _closing(study: Study, now: Standing) -> list[str]:
    return [
        _kept(now),
        f"Seats without an answer: {now.left} of {now.left + now.done}. They get none.",
        _at_work(now),
        "A closed study stays closed: it cannot be opened again.",
    ]


def _kept(now: Standing) -> str:
    return f"Answers so far: {now.answers}. They stay as they are."


def _at_work(now: Standing) -> str:
    return f"Raters at work now: {now.at_work}. Seats leased out: {now.leased}. These answers are still taken."


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
