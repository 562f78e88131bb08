"""Who judges what: the one place where seats change hands.

Right on PostgreSQL and on SQLite alike: row locks only shorten waits, while a conditional update, whose row count
decides, and the constraints of :mod:`annotation_site.rating.models` carry the correctness.
"""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q

from annotation_site.raters.models import Enrolment
from annotation_site.rating.models import ANSWER_FIELDS, Judgement, Seat
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item, Study


class RatingError(Exception):
    """Base of what can go wrong with a claim or an answer."""


class StudyNotReady(RatingError):
    """The study cannot be opened; the message names what is missing."""


class AnswerRefused(RatingError):
    """The answer does not fit the study's question; nothing was stored."""


class KeyReused(RatingError):
    """Another answer was stored under this submission's key; that one stands."""


@dataclass(frozen=True)
class Answer:
    """One answer: a rating from 1 to 5, an opt-out, or which of the two objects are present."""

    rating: int | None = None
    opt_out: str = ""
    first_present: bool | None = None
    second_present: bool | None = None

    def check(self, kind: str) -> None:
        """Refuse an answer that is not one of the question's."""
        if self.opt_out:
            allowed = {Judgement.OptOut.IMAGE_TOO_POOR}
            if kind == Study.Kind.LIKERT:
                allowed.add(Judgement.OptOut.WORD_TOO_ABSTRACT)
            fits = self.opt_out in allowed and self._rest_is_empty("opt_out")
        elif kind == Study.Kind.LIKERT:
            fits = self.rating in {1, 2, 3, 4, 5} and self._rest_is_empty("rating")
        else:
            fits = None not in {self.first_present, self.second_present} and self.rating is None
        if not fits:
            raise AnswerRefused(f"{self} is not one answer to a {kind} question: choose exactly one of those shown.")

    def _rest_is_empty(self, name: str) -> bool:
        return all(getattr(self, other) in (None, "") for other in ANSWER_FIELDS if other != name)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ANSWER_FIELDS}


def database_now() -> datetime:
    """The database's clock: the only one that every web process and worker shares."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT statement_timestamp()")
        else:
            cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')")
        value = cursor.fetchone()[0]
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


# --- opening --------------------------------------------------------------------------------------------------------


@transaction.atomic
def open_study(study: Study, *, now: datetime | None = None) -> int:
    """Make the seats of every item, fix the cap and let raters in; how many seats there are.

    A paused study is opened again with the seats it has.
    """
    now = now or database_now()
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state == Study.State.PAUSED:
        Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN)
        return Seat.objects.filter(study=study).count()
    if study.state != Study.State.DRAFT:
        raise StudyNotReady(f"Study {study.slug!r} is {study.state}: only a draft or a paused study can be opened.")
    # Locked, so that a worker finishing one of them right now either shows here or finds the seat to free.
    items = list(study.items.in_use().select_related("generation").select_for_update(of=("self", "generation")))
    if not items:
        raise StudyNotReady(f"Study {study.slug!r} has no items: draw some with `manage.py sample_pairs` first.")
    seats = [seat for item in items for seat in _seats_of(item, study)]
    Seat.objects.bulk_create(seats, batch_size=1000)
    # Through the decimal that was typed: 0.29 * 100 is 28.99... in floats.
    cap = max(1, math.floor(Fraction(str(study.cap_share)) * len(seats)))
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN, cap=cap, opened_at=now)
    return len(seats)


def _seats_of(item: Item, study: Study) -> Iterator[Seat]:
    state = Seat.State.FREE if item.generation.is_done else Seat.State.PENDING
    for number in range(study.seats_per_item):
        yield Seat(study=study, item=item, round=number, position=item.position, state=state)


def pause_study(study: Study) -> bool:
    """Hand out nothing more for now; answers on their way are still taken."""
    return bool(Study.objects.filter(pk=study.pk, state=Study.State.OPEN).update(state=Study.State.PAUSED))


def close_study(study: Study, *, now: datetime | None = None) -> bool:
    """End the study for good; answers on their way are still taken."""
    live = Study.objects.filter(pk=study.pk, state__in=[Study.State.OPEN, Study.State.PAUSED])
    return bool(live.update(state=Study.State.CLOSED, closed_at=now or database_now()))


def release_pending(generations: list[Generation]) -> int:
    """Free the seats that waited for these generations; called in the transaction that marks them done."""
    waiting = Seat.objects.filter(item__generation__in=generations, state=Seat.State.PENDING)
    return waiting.update(state=Seat.State.FREE)


# --- claiming -------------------------------------------------------------------------------------------------------


@transaction.atomic
def claim_next(enrolment: Enrolment, *, rng: random.Random, now: datetime | None = None) -> Seat | None:
    """The rater's open lease, renewed, or a newly leased seat; None at the cap or when nothing is left for them."""
    now = now or database_now()
    # The lock makes two tabs of one rater queue up, so that the cap counts what the other has just taken.
    enrolment = Enrolment.objects.select_for_update(of=("self",)).select_related("study").get(pk=enrolment.pk)
    study = enrolment.study
    until = now + timedelta(minutes=study.lease_minutes)
    if not may_rate(enrolment):
        return None
    leased = enrolment.seats.filter(state=Seat.State.LEASED, item__withdrawn_at__isnull=True)
    mine = leased.order_by("leased_until").first()
    if mine is not None and renew(mine, enrolment, now=now):
        mine.leased_until = until
        return mine
    if places_left(enrolment) <= 0:
        return None
    release_expired(study, now=now)
    for seat in _free_seats(study, enrolment, rng):
        taken = Seat.objects.filter(pk=seat.pk, state=Seat.State.FREE).update(
            state=Seat.State.LEASED, enrolment=enrolment, leased_until=until
        )
        if taken:
            seat.state, seat.enrolment, seat.leased_until = Seat.State.LEASED, enrolment, until
            return seat
    return None


def may_rate(enrolment: Enrolment) -> bool:
    """Whether anything is handed out to this rater at all."""
    return enrolment.study.is_open and enrolment.excluded_at is None


def places_left(enrolment: Enrolment) -> int:
    """How many more seats the study's cap allows this rater; leases and answers both count, checks do not."""
    rated = enrolment.seats.filter(item__withdrawn_at__isnull=True, item__purpose=Item.Purpose.RATED)
    return (enrolment.study.cap or 0) - rated.count()


def has_finished(enrolment: Enrolment) -> bool:
    """Whether nothing will come for this rater any more: the cap is reached, or every other item is fully judged."""
    if places_left(enrolment) <= 0:
        return True
    open_seats = Seat.objects.filter(study=enrolment.study_id, item__withdrawn_at__isnull=True)
    return not _unseen(open_seats.exclude(state=Seat.State.DONE), enrolment).exists()


def release_expired(study: Study, *, now: datetime) -> int:
    """Free the leases that have run out; how many."""
    expired = Seat.objects.filter(study=study, state=Seat.State.LEASED, leased_until__lt=now)
    return expired.update(state=Seat.State.FREE, enrolment=None, leased_until=None)


def _free_seats(study: Study, enrolment: Enrolment, rng: random.Random) -> Iterator[Seat]:
    """One candidate at a time: lowest round first, from a random start position and around."""
    start = rng.randrange(max(1, Item.objects.filter(study=study).count()))
    free = _unseen(Seat.objects.filter(study=study, state=Seat.State.FREE, item__withdrawn_at__isnull=True), enrolment)
    free = free.select_for_update(skip_locked=True, of=("self",)).order_by("position")
    for number in range(study.seats_per_item):
        for part in (Q(position__gte=start), Q(position__lt=start)):
            # A candidate that someone else took first is no longer free, so the same query finds the next one.
            while (seat := free.filter(part, round=number).first()) is not None:
                yield seat


def _unseen(seats: Any, enrolment: Enrolment) -> Any:
    """Without the items that this rater has judged, or holds a seat of."""
    held = Seat.objects.filter(enrolment=enrolment, item=OuterRef("item"))
    judged = Judgement.objects.filter(enrolment=enrolment, seat__item=OuterRef("item"))
    return seats.filter(~Exists(held), ~Exists(judged))


def release(seat: Seat, enrolment: Enrolment) -> bool:
    """Give a leased seat back unanswered."""
    mine = Seat.objects.filter(pk=seat.pk, enrolment=enrolment, state=Seat.State.LEASED)
    return bool(mine.update(state=Seat.State.FREE, enrolment=None, leased_until=None))


def renew(seat: Seat, enrolment: Enrolment, *, now: datetime | None = None) -> bool:
    """Extend a lease; False if it is no longer theirs."""
    until = (now or database_now()) + timedelta(minutes=enrolment.study.lease_minutes)
    mine = Seat.objects.filter(pk=seat.pk, enrolment=enrolment, state=Seat.State.LEASED)
    return bool(mine.update(leased_until=until))


# --- recording ------------------------------------------------------------------------------------------------------


def record(
    *,
    seat: Seat,
    enrolment: Enrolment,
    answer: Answer,
    key: uuid.UUID,
    shown_at: datetime,
    now: datetime | None = None,
    browser_milliseconds: int | None = None,
) -> Judgement:
    """Store an answer for good and return its judgement; the caller has made sure that the rater was shown the seat.

    The same key again returns the first judgement, or raises KeyReused when the answer differs. An answer to a seat
    whose lease ran out is counted if the seat is still free, and kept as surplus if somebody else has taken it. A
    second answer to one's own seat becomes the next revision.
    """
    answer.check(enrolment.study.kind)
    times = {"shown_at": shown_at, "browser_milliseconds": browser_milliseconds}
    try:
        return _record(seat, enrolment, answer, key, now, times)
    except IntegrityError:
        # Lost a race with the same submission's other copy: its row is there now, and decides.
        stored = Judgement.objects.filter(enrolment=enrolment, key=key).first()
        if stored is None:
            raise
        return _replayed(stored, answer)


@transaction.atomic
def _record(
    seat: Seat, enrolment: Enrolment, answer: Answer, key: uuid.UUID, now: datetime | None, times: dict[str, Any]
) -> Judgement:
    enrolment = Enrolment.objects.select_for_update(of=("self",)).select_related("study").get(pk=enrolment.pk)
    stored = Judgement.objects.filter(enrolment=enrolment, key=key).first()
    if stored is not None:
        return _replayed(stored, answer)
    surplus = not _occupy(seat, enrolment)
    earlier = Judgement.objects.filter(seat=seat, enrolment=enrolment)
    revision = earlier.count() + 1
    if revision > 1:
        earlier.filter(current=True).update(current=False)
    return Judgement.objects.create(
        seat=seat,
        enrolment=enrolment,
        key=key,
        revision=revision,
        surplus=surplus,
        answered_at=now or database_now(),
        **answer.as_dict(),
        **times,
    )


def _replayed(stored: Judgement, answer: Answer) -> Judgement:
    if stored.answer != answer.as_dict():
        raise KeyReused(
            f"Submission {stored.key} was stored with another answer ({stored.answer_text}); that one stands."
        )
    return stored


def _occupy(seat: Seat, enrolment: Enrolment) -> bool:
    """Make the seat the rater's for good; False if somebody else holds it or the rules leave no place."""
    done: dict[str, Any] = {"state": Seat.State.DONE, "enrolment": enrolment, "leased_until": None}
    this = Seat.objects.filter(pk=seat.pk)
    if this.filter(enrolment=enrolment).exclude(state=Seat.State.PENDING).update(**done):
        return True
    if enrolment.excluded_at or places_left(enrolment) <= 0:
        return False
    if Seat.objects.filter(enrolment=enrolment, item=seat.item_id).exists():
        return False
    return bool(this.filter(state=Seat.State.FREE).update(**done))


@transaction.atomic
def withdraw_item(item: Item, *, now: datetime | None = None) -> None:
    """Take an item out of the study; its judgements stay stored and are no longer counted, its leases end."""
    Seat.objects.filter(item=item, state=Seat.State.LEASED).update(
        state=Seat.State.FREE, enrolment=None, leased_until=None
    )
    Item.objects.filter(pk=item.pk, withdrawn_at__isnull=True).update(withdrawn_at=now or database_now())


def progress(enrolment: Enrolment) -> tuple[int, int]:
    """Judgements given, and how many this rater may give: the cap, or all items if there are fewer."""
    done = enrolment.seats.filter(state=Seat.State.DONE, item__purpose=Item.Purpose.RATED).count()
    return done, min(enrolment.study.cap or 0, Item.objects.filter(study=enrolment.study_id).in_use().count())
