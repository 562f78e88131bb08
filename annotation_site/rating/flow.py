"""A rater's way: instructions, practice, items with breaks between them, the end.

Every step is read off the database, so the same link goes on where the rater stopped, on any device.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.urls import reverse

from annotation_site.raters.models import Enrolment
from annotation_site.rating import assignment
from annotation_site.rating.practice import pass_without, practice
from annotation_site.studies.models import Study


class Kind(StrEnum):
    """A step's kind; each value is also the name of the page that shows it."""

    INSTRUCTIONS = "instructions"
    PRACTICE = "practice"
    CARE = "care"
    BREAK = "break"
    ITEM = "rate"
    DONE = "done"


@dataclass(frozen=True)
class Step:
    """What is next for a rater, and the address of its page."""

    kind: Kind
    address: str


def next_step(enrolment: Enrolment, now: datetime) -> Step:
    """What this rater does next; ``now`` is noted when the way to the items is behind them.

    DONE is for those to whom nothing is handed out: excluded, screened out, or the study is not open. That all items
    are judged shows when one is claimed. Past instructions and practice it costs no query in a study without breaks.
    """
    return _step(enrolment, _kind(enrolment, now))


def _step(enrolment: Enrolment, kind: Kind) -> Step:
    return Step(kind, reverse(kind.value, args=[enrolment.token]))


def _kind(enrolment: Enrolment, now: datetime) -> Kind:
    if enrolment.screened_out_at or not assignment.may_rate(enrolment):
        return Kind.DONE
    if enrolment.ready_at is None:
        return _before_the_items(enrolment, now)
    return _among_the_items(enrolment)


def _before_the_items(enrolment: Enrolment, now: datetime) -> Kind:
    if enrolment.study.instructions_shown and enrolment.instructed_at is None:
        return Kind.INSTRUCTIONS
    if pass_without(enrolment, now=now):
        return _among_the_items(enrolment)
    state = practice(enrolment)
    if not state.over:
        return Kind.PRACTICE
    if state.passed:
        _note(enrolment, "ready_at", now)
        return _among_the_items(enrolment)
    _note(enrolment, "screened_out_at", now)
    return Kind.DONE


def _among_the_items(enrolment: Enrolment) -> Kind:
    if needs_care(enrolment):
        return Kind.CARE
    return Kind.BREAK if break_due(enrolment) else Kind.ITEM


def needs_care(enrolment: Enrolment) -> bool:
    """Whether the rater failed too many checks and was not asked yet to take more care."""
    warns = enrolment.study.check_consequence == Study.Consequence.WARN
    return bool(enrolment.check_failure) and warns and enrolment.warned_at is None


def break_due(enrolment: Enrolment) -> int:
    """The number of the break to offer now, from 1; 0 for none. None is offered after the last item."""
    every = enrolment.study.break_every
    if not every:
        return 0
    done, total = assignment.progress(enrolment)
    number = done // every
    return number if number > enrolment.breaks_offered and done < total else 0


def instructed(enrolment: Enrolment, *, now: datetime) -> None:
    """Note that the instructions were read; the first time stands."""
    _note(enrolment, "instructed_at", now)


def warned(enrolment: Enrolment, *, now: datetime) -> None:
    """Note that the rater was asked to take more care."""
    _note(enrolment, "warned_at", now)


def break_offered(enrolment: Enrolment) -> None:
    """Note that the break which is due was offered; sent twice it changes nothing more."""
    number = break_due(enrolment)
    if number:
        Enrolment.objects.filter(pk=enrolment.pk, breaks_offered__lt=number).update(breaks_offered=number)
        enrolment.breaks_offered = number


def _note(enrolment: Enrolment, field: str, now: datetime) -> None:
    Enrolment.objects.filter(pk=enrolment.pk, **{f"{field}__isnull": True}).update(**{field: now})
    setattr(enrolment, field, getattr(enrolment, field) or now)
