"""Opening, pausing, resuming and closing a study: what will happen, said beforehand, and the doing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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
    label: str | Promise
    states: tuple[str, ...]
    brings: Callable[[Study, Situation], list[str]]
    do: Callable[[Study, str], str]
    for_good: bool = False


def _opening(study: Study, now: Situation) -> list[str]:
    items = study.items.in_use().count()
    places = items * study.seats_per_item
    made = {"places": places, "items": items, "each": study.seats_per_item}
    return [
        _("Places to be made: %(places)d, for %(items)d items with %(each)d each.") % made,
        _("Judgements that one rater may give: at most %(cap)d.") % {"cap": cap_of(study, places)},
        _("Raters who open the study's link can join at once."),
        _("Rules, texts, practice and checks are fixed from then on: answers depend on them."),
    ]


def _pausing(study: Study, now: Situation) -> list[str]:
    return [
        _kept(now),
        _at_work(now),
        _("Nothing more is handed out, and nobody new joins, until the study is opened again."),
    ]


def _resuming(study: Study, now: Situation) -> list[str]:
    handed_out = {"free": now.seats.free, "pending": now.seats.pending}
    return [
        _("Places that are free and handed out again: %(free)d. Waiting for their images: %(pending)d.") % handed_out,
        _kept(now),
        _("Raters go on by the links that they have."),
    ]


def _closing(study: Study, now: Situation) -> list[str]:
    unanswered = {"left": now.seats.left, "total": now.seats.total}
    return [
        _kept(now),
        _("Places without an answer: %(left)d of %(total)d. They get none.") % unanswered,
        _at_work(now),
        _("A closed study stays closed: it cannot be opened again."),
    ]


def _kept(now: Situation) -> str:
    return _("Answers so far: %(answers)d. They stay as they are.") % {"answers": now.answers}


def _at_work(now: Situation) -> str:
    number = {"raters": now.at_work, "leased": now.seats.leased}
    return _("Raters at work now: %(raters)d. Places leased out: %(leased)d. These answers are still taken.") % number


def _open(study: Study, reason: str) -> str:
    made = {"title": study.title, "places": assignment.open_study(study, reason=reason)}
    return _("“%(title)s” is open, with %(places)d places: raters can join.") % made


def _resume(study: Study, reason: str) -> str:
    assignment.open_study(study, reason=reason)
    return _("“%(title)s” is open again.") % {"title": study.title}


def _pause(study: Study, reason: str) -> str:
    if not assignment.pause_study(study, reason=reason):
        raise assignment.StudyNotReady(_("Only an open study can be paused."))
    return _("“%(title)s” is paused: nothing more is handed out.") % {"title": study.title}


def _close(study: Study, reason: str) -> str:
    if not assignment.close_study(study, reason=reason):
        raise assignment.StudyNotReady(_("Only an open or a paused study can be closed."))
    return _("“%(title)s” is closed for good.") % {"title": study.title}


MOVES = {
    move.name: move
    for move in (
        Move("open", gettext_lazy("Open to raters"), (State.DRAFT,), _opening, _open),
        Move("pause", gettext_lazy("Pause"), (State.OPEN,), _pausing, _pause),
        Move("resume", gettext_lazy("Open again"), (State.PAUSED,), _resuming, _resume),
        Move("close", gettext_lazy("Close for good"), (State.OPEN, State.PAUSED), _closing, _close, for_good=True),
    )
}


def moves_of(study: Study) -> list[Move]:
    """Those that are possible in its present state."""
    return [move for move in MOVES.values() if study.state in move.states]


def unmoved(study: Study) -> str:
    """What to say where the move is not one of them any more."""
    return _("“%(title)s” is %(state)s: nothing was changed.") % {
        "title": study.title,
        "state": study.get_state_display(),
    }
