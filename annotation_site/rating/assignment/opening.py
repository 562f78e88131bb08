"""Opening, pausing and closing a study; freeing the seats of new images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from annotation_site import audit
from annotation_site.rating.assignment import hints
from annotation_site.rating.assignment.answers import StudyNotReady
from annotation_site.rating.assignment.clock import database_now
from annotation_site.rating.assignment.readiness import cap_of, problems
from annotation_site.rating.models import Seat
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item, StateChange, Study


@transaction.atomic
def open_study(study: Study, *, now: datetime | None = None, reason: str = "") -> int:
    """Make the seats of every item, fix the cap and let raters in; how many seats there are.

    A paused study is opened again with the seats it has. Raises StudyNotReady, which names all that is missing.
    """
    now = now or database_now()
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state == Study.State.PAUSED:
        _move(study, [Study.State.PAUSED], Study.State.OPEN, now, reason)
        return Seat.objects.filter(study=study).count()
    if study.state != Study.State.DRAFT:
        raise StudyNotReady(
            _("Study “%(slug)s” is %(state)s: only a draft or a paused study can be opened.")
            % {"slug": study.slug, "state": study.get_state_display()}
        )
    missing = [str(problem) for problem in problems(study) if problem.blocks]
    if missing:
        raise StudyNotReady(" ".join(missing))
    seats = _make_seats(study)
    cap = cap_of(study, seats)
    # The last item may have been withdrawn since we looked.
    if not seats or not _move(study, [Study.State.DRAFT], Study.State.OPEN, now, reason, cap=cap, opened_at=now):
        raise StudyNotReady(
            _("Study “%(slug)s” was changed by somebody else just now: look again.") % {"slug": study.slug}
        )
    hints.forget(study.pk)
    return seats


def _make_seats(study: Study) -> int:
    # Locked, so that a worker finishing one of them right now either shows here or finds the seat to free.
    items = list(study.items.in_use().select_related("generation").select_for_update(of=("self", "generation")))
    seconds = {item.second_generation_id for item in items if item.second_generation_id}
    second = Generation.objects.select_for_update().in_bulk(seconds)
    seats = [seat for item in items for seat in seats_of(item, study, second)]
    Seat.objects.bulk_create(seats, batch_size=1000)
    return len(seats)


@transaction.atomic
def _move(
    study: Study, states: Iterable[Study.State], state: Study.State, now: datetime, reason: str, **fields: Any
) -> bool:
    """To ``state`` from one of ``states``, written to the study's history and to the audit log; False from others."""
    for before in states:
        if Study.objects.filter(pk=study.pk, state=before).update(state=state, **fields):
            StateChange.objects.create(study=study, state=state, at=now)
            audit.note(study, reason, state=(before, state))
            return True
    return False


def seats_of(item: Item, study: Study, second: Mapping[int, Generation]) -> Iterator[Seat]:
    pictures = [item.generation, *([second[item.second_generation_id]] if item.second_generation_id else [])]
    state = Seat.State.FREE if all(picture.is_done for picture in pictures) else Seat.State.PENDING
    for number in range(study.seats_per_item):
        yield Seat(study=study, item=item, round=number, position=item.position, state=state)


def pause_study(study: Study, *, now: datetime | None = None, reason: str = "") -> bool:
    """Hand out nothing more for now; answers on their way are still taken."""
    return _move(study, [Study.State.OPEN], Study.State.PAUSED, now or database_now(), reason)


def close_study(study: Study, *, now: datetime | None = None, reason: str = "") -> bool:
    """End the study for good; answers on their way are still taken."""
    now = now or database_now()
    return _move(study, [Study.State.OPEN, Study.State.PAUSED], Study.State.CLOSED, now, reason, closed_at=now)


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
