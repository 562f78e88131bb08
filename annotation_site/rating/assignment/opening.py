"""Opening, pausing and closing a study; freeing the seats of new images; taking an item out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db import transaction
from django.db.models import Q

from annotation_site.rating.assignment import hints
from annotation_site.rating.assignment.answers import StudyNotReady
from annotation_site.rating.assignment.clock import database_now
from annotation_site.rating.assignment.leases import FREED
from annotation_site.rating.models import Seat
from annotation_site.stimuli.models import Generation
from annotation_site.studies.gold import what_is_missing
from annotation_site.studies.models import Item, StateChange, Study


@transaction.atomic
def open_study(study: Study, *, now: datetime | None = None) -> int:
    """Make the seats of every item, fix the cap and let raters in; how many seats there are.

    A paused study is opened again with the seats it has.
    """
    now = now or database_now()
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state == Study.State.PAUSED:
        _move(study.pk, [Study.State.PAUSED], Study.State.OPEN, now)
        return Seat.objects.filter(study=study).count()
    if study.state != Study.State.DRAFT:
        raise StudyNotReady(f"Study {study.slug!r} is {study.state}: only a draft or a paused study can be opened.")
    # Locked, so that a worker finishing one of them right now either shows here or finds the seat to free.
    items = list(study.items.in_use().select_related("generation").select_for_update(of=("self", "generation")))
    seconds = {item.second_generation_id for item in items if item.second_generation_id}
    second = Generation.objects.select_for_update().in_bulk(seconds)
    if not items:
        raise StudyNotReady(f"Study {study.slug!r} has no items: draw some with `manage.py sample_pairs` first.")
    missing = what_is_missing(study)
    if missing:
        raise StudyNotReady(missing)
    seats = [seat for item in items for seat in _seats_of(item, study, second)]
    Seat.objects.bulk_create(seats, batch_size=1000)
    # Through the decimal that was typed: 0.29 * 100 is 28.99... in floats.
    cap = max(1, math.floor(Fraction(str(study.cap_share)) * len(seats)))
    _move(study.pk, [Study.State.DRAFT], Study.State.OPEN, now, cap=cap, opened_at=now)
    hints.forget(study.pk)
    return len(seats)


def _seats_of(item: Item, study: Study, second: Mapping[int, Generation]) -> Iterator[Seat]:
    pictures = [item.generation, *([second[item.second_generation_id]] if item.second_generation_id else [])]
    state = Seat.State.FREE if all(picture.is_done for picture in pictures) else Seat.State.PENDING
    for number in range(study.seats_per_item):
        yield Seat(study=study, item=item, round=number, position=item.position, state=state)


def pause_study(study: Study, *, now: datetime | None = None) -> bool:
    """Hand out nothing more for now; answers on their way are still taken."""
    return _move(study.pk, [Study.State.OPEN], Study.State.PAUSED, now or database_now())


def close_study(study: Study, *, now: datetime | None = None) -> bool:
    """End the study for good; answers on their way are still taken."""
    now = now or database_now()
    return _move(study.pk, [Study.State.OPEN, Study.State.PAUSED], Study.State.CLOSED, now, closed_at=now)


@transaction.atomic
def _move(study: int, states: list[Study.State], state: Study.State, now: datetime, **fields: Any) -> bool:
    """To ``state`` from one of ``states``, written to the study's history; False if it was in none of them."""
    moved = Study.objects.filter(pk=study, state__in=states).update(state=state, **fields)
    if moved:
        StateChange.objects.create(study_id=study, state=state, at=now)
    return bool(moved)


def release_pending(generations: list[Generation]) -> int:
    """Free the seats that waited for these generations; called in the transaction that marks them done.

    A seat of two pictures waits for both. Its item is locked, so that of two workers that finish one each the later
    sees both done.
    """
    waiting = Seat.objects.filter(state=Seat.State.PENDING)
    freed = waiting.filter(item__generation__in=generations, item__second_generation__isnull=True).update(
        state=Seat.State.FREE
    )
    pairs = Item.objects.filter(Q(generation__in=generations) | Q(second_generation__in=generations))
    pairs = pairs.filter(second_generation__isnull=False, seats__state=Seat.State.PENDING)
    numbers = sorted(set(pairs.order_by().values_list("pk", flat=True)))
    if not numbers:
        return freed
    list(Item.objects.select_for_update(no_key=True).filter(pk__in=numbers).order_by("pk").values_list("pk"))
    done = Generation.State.DONE
    whole = Item.objects.filter(pk__in=numbers, generation__state=done, second_generation__state=done)
    return freed + waiting.filter(item__in=list(whole.values_list("pk", flat=True))).update(state=Seat.State.FREE)


@transaction.atomic
def withdraw_item(item: Item, *, now: datetime | None = None) -> None:
    """Take an item out of the study; its judgements stay stored and are no longer counted, its leases end."""
    Seat.objects.filter(item=item, state=Seat.State.LEASED).update(**FREED)
    Item.objects.filter(pk=item.pk, withdrawn_at__isnull=True).update(withdrawn_at=now or database_now())
    hints.forget(item.study_id)
