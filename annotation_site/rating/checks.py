"""Checks: items whose right answer is known, put between a rater's items.

Instructed checks say in the question itself which answer to choose; gold items show a map that is known to be right or
wrong. Prolific's rules for fair checks are followed: the question is what is tested, nothing is hidden, set small or
to be remembered, and one slip has no consequence unless the study says so.

What was passed is always worked out from the answers, the current revision of each: a rater who notices a slip may
undo it like any other. An opt-out on a gold item is an honest answer and neither passes nor fails.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Prefetch, Q, QuerySet

from annotation_site import audit
from annotation_site.raters.models import Enrolment
from annotation_site.rating.models import Judgement, Seat
from annotation_site.stimuli.models import Generation
from annotation_site.studies.gold import CHECKS
from annotation_site.studies.models import Item, KnownAnswer, Study

# Far above the rounds of rated items, so that no search for the lowest open round meets a check's seat.
FIRST_ROUND = 1000


@dataclass(frozen=True)
class Result:
    """The outcome of one check: passed, failed, or None where the rater opted out of a gold item."""

    judgement: Judgement
    passed: bool | None

    @property
    def reason(self) -> str:
        """What was asked and what was answered, for the admin."""
        item, known = self.judgement.seat.item, self.judgement.seat.item.known
        asked = "told to choose" if item.purpose == Item.Purpose.INSTRUCTED else f"map known for “{item.word.text}”:"
        return f"item {item.pk}: {asked} {_expected(known)}, answered {_given(self.judgement)}"


def lease_due(enrolment: Enrolment, now: datetime, until: datetime, *, ahead: bool = False) -> Seat | None:
    """The seat of the check that is due for this rater, leased until ``until``; None when none is due.

    The caller holds the lock of the enrolment. Of each ``check_every`` answers one place, drawn from the rater's
    number, is a check's, so that no two raters meet them at the same places and a reload changes nothing.
    """
    every = enrolment.study.check_every
    if not every:
        return None
    there = list(items(enrolment.study).order_by("position").values_list("pk", flat=True))
    met = _met(enrolment, there)
    unmet = [number for number in there if number not in met]
    if not unmet or _answers(enrolment, ahead=ahead) < due_after(enrolment, len(met), every):
        return None
    return _lease(_drawn(enrolment, len(met)).choice(unmet), now, enrolment=enrolment, leased_until=until, ahead=ahead)


def _answers(enrolment: Enrolment, *, ahead: bool) -> int:
    """How many items the rater will have judged when the seat is shown: one ahead comes after the current one."""
    given = enrolment.seats.aggregate(last=Max("ordinal"))["last"] or 0
    current = enrolment.seats.filter(state=Seat.State.LEASED, item__purpose=Item.Purpose.RATED)
    return given + (1 if ahead and current.exists() else 0)


def due_after(enrolment: Enrolment, number: int, every: int) -> int:
    """After how many answers the rater's check ``number`` (from 0) comes: within its own stretch of ``every``."""
    return number * every + _drawn(enrolment, number).randint(1, every)


def _drawn(enrolment: Enrolment, number: int) -> random.Random:
    return random.Random(f"check {enrolment.pk} {number}")  # noqa: S311 - a place in an order, nothing secret


def _met(enrolment: Enrolment, checks: list[int]) -> set[int]:
    """Those of the checks that the rater holds a seat of, or gave a late answer to."""
    held = enrolment.seats.filter(item__in=checks).values_list("item", flat=True)
    late = Judgement.objects.filter(enrolment=enrolment, surplus=True, seat__item__in=checks)
    return {*held, *late.values_list("seat__item", flat=True)}


def items(study: Study) -> QuerySet[Item]:
    """The study's checks that can be shown."""
    return study.items.filter(
        purpose__in=CHECKS,
        withdrawn_at__isnull=True,
        known__isnull=False,
        generation__state=Generation.State.DONE,
    )


def _lease(number: int, now: datetime, **held: Any) -> Seat:
    """A seat that somebody left, or a new one."""
    # Two raters may come to one check at once; the lock gives each a round of their own.
    item = Item.objects.select_for_update(no_key=True).get(pk=number)
    left = Q(state=Seat.State.FREE) | Q(state=Seat.State.LEASED, leased_until__lt=now)
    seats = Seat.objects.filter(item=item)
    held["state"] = Seat.State.LEASED
    # A rater who comes back late to a lease that ran out just now may be faster, and keeps the seat.
    for seat in seats.filter(left).order_by("round"):
        if seats.filter(left, pk=seat.pk).update(**held):
            seat.refresh_from_db()
            return seat
    last = seats.aggregate(last=Max("round"))["last"]
    return Seat.objects.create(
        study_id=item.study_id,
        item=item,
        round=FIRST_ROUND if last is None else last + 1,
        position=item.position,
        **held,
    )


def answered() -> QuerySet[Judgement]:
    """The current answers to checks."""
    given = Judgement.objects.filter(current=True, seat__item__purpose__in=CHECKS, seat__item__known__isnull=False)
    return given.select_related("seat__item__known", "seat__item__word", "seat__item__second_word")


def results(enrolment: Enrolment) -> list[Result]:
    """The rater's checks in the order of their answers."""
    return judged(answered().filter(enrolment=enrolment).order_by("id"))


def judged(judgements: Iterable[Judgement]) -> list[Result]:
    return [Result(judgement, _passed(judgement)) for judgement in judgements]


def with_answers() -> Prefetch[str, QuerySet[Judgement], str]:
    """Prefetches ``check_answers`` on enrolments, so that a list of them costs one query more."""
    return Prefetch("judgements", queryset=answered().order_by("id"), to_attr="check_answers")


def _passed(judgement: Judgement) -> bool | None:
    item = judgement.seat.item
    if item.known.accepts(judgement.answer):
        return True
    return None if judgement.opt_out and item.purpose == Item.Purpose.GOLD else False


def settle(judgement: Judgement, now: datetime) -> None:
    """Note what follows from a rater's checks; called after each answer to one.

    When more are failed than the study allows the reason is stored, and the rater excluded if that is the
    consequence. An undo that mends a slip takes the note back, but not an exclusion: that is the admin's to undo, and
    whom the admin has taken back is excluded again only by failing once more.
    """
    enrolment = judgement.enrolment
    outcome = results(enrolment)
    failed = [result for result in outcome if result.passed is False]
    too_many = len(failed) > enrolment.study.checks_may_fail
    reason = f"failed {len(failed)} of {len(outcome)} checks: " + "; ".join(r.reason for r in failed)
    enrolment.check_failure = reason if too_many else ""
    enrolment.save(update_fields=["check_failure"])
    just_failed = judgement in [result.judgement for result in failed]
    exclude = enrolment.study.check_consequence == Study.Consequence.EXCLUDE
    if too_many and just_failed and exclude and enrolment.excluded_at is None:
        with audit.by("the study's checks"):
            enrolment.exclude(reason, now)


def _expected(known: KnownAnswer) -> str:
    if known.first_present is not None:
        return f"present {known.first_present}, {known.second_present}"
    ratings = str(known.lowest) if known.lowest == known.highest else f"{known.lowest} to {known.highest}"
    return " or ".join(part for part in (ratings if known.lowest else "", known.opt_out) if part)


def _given(judgement: Judgement) -> str:
    if judgement.opt_out:
        return judgement.opt_out
    return str(judgement.rating or f"present {judgement.first_present}, {judgement.second_present}")
