"""Taking an item out of a study, and putting it back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from annotation_site import audit
from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import hints
from annotation_site.rating.assignment.answers import RatingError
from annotation_site.rating.assignment.clock import database_now
from annotation_site.rating.assignment.leases import FREED
from annotation_site.rating.assignment.opening import seats_of
from annotation_site.rating.assignment.places import places_left
from annotation_site.rating.models import Seat
from annotation_site.stimuli.models import Generation
from annotation_site.studies.drawing_order import carry_to_queue
from annotation_site.studies.gold import CHECKS
from annotation_site.studies.models import Item, Study


class CannotPutBack(RatingError):
    """The item stays withdrawn; the message says whom it would harm."""


class CannotWithdraw(RatingError):
    """The item stays in use; the message says what would be missing without it."""


@transaction.atomic
def withdraw_item(item: Item, *, now: datetime | None = None, reason: str = "") -> bool:
    """Take an item out of the study; its judgements stay stored and are no longer counted, its leases end.

    Raises CannotWithdraw for the last practice or check that a running study asks for.
    """
    now = now or database_now()
    if item.purpose != Item.Purpose.RATED:
        _refuse_the_last(item)
    # The item before its seats, in the order in which a check is leased.
    withdrawn = bool(Item.objects.filter(pk=item.pk, withdrawn_at__isnull=True).update(withdrawn_at=now))
    Seat.objects.filter(item=item, state=Seat.State.LEASED).update(**FREED)
    if withdrawn:
        audit.note(item, reason, withdrawn_at=(None, now))
    hints.forget(item.study_id)
    return withdrawn


def _refuse_the_last(item: Item) -> None:
    # Locked, so that of two that are withdrawn at once one stays; rows that name the study may be written meanwhile: a
    # check's new seat is, under the lock of its item.
    study = Study.objects.select_for_update(no_key=True).get(pk=item.study_id)
    practice = item.purpose == Item.Purpose.PRACTICE
    rule = "practice_pass_mark" if practice else "check_every"
    if study.state in (Study.State.DRAFT, Study.State.CLOSED) or not getattr(study, rule):
        return
    same = [Item.Purpose.PRACTICE] if practice else CHECKS
    others = study.items.filter(purpose__in=same, withdrawn_at__isnull=True, known__isnull=False).exclude(pk=item.pk)
    if not others.filter(generation__state=Generation.State.DONE).exists():
        raise CannotWithdraw(
            f"{item} stays: it is the last {'practice item' if practice else 'check'} of “{study.title}”, which is "
            f"{study.get_state_display()} and promises its raters one ({rule} is {getattr(study, rule)}). Close the "
            "study, or leave the item."
        )


@transaction.atomic
def put_item_back(item: Item, *, reason: str = "") -> bool:
    """Ask and count a withdrawn item again; its judgements count as before. False if it is in use.

    Raters who judged another item in its place would pass the cap: raises CannotPutBack, and nothing is changed.
    """
    # Rows that name the study may be written meanwhile: an answer that makes places does so under its rater's lock.
    study = Study.objects.select_for_update(no_key=True).get(pk=item.study_id)
    item = Item.objects.select_related("generation").get(pk=item.pk)
    # Locked like for a claim, so that nobody takes another seat while we count.
    held = Seat.objects.filter(item=item, enrolment__isnull=False).values("enrolment")
    raters = list(Enrolment.objects.filter(pk__in=held).order_by("pk").select_for_update())
    if not Item.objects.filter(pk=item.pk, withdrawn_at__isnull=False).update(withdrawn_at=None):
        return False
    if item.purpose == Item.Purpose.RATED and study.state != Study.State.DRAFT:
        _refuse_above_the_cap(item, study, raters)
        _make_missing_seats(item, study)
    # Meanwhile a worker may have put its image aside.
    carry_to_queue(study)
    audit.note(item, reason, withdrawn_at=(item.withdrawn_at, None))
    hints.forget(study.pk)
    return True


def _refuse_above_the_cap(item: Item, study: Study, raters: list[Enrolment]) -> None:
    over = []
    for enrolment in raters:
        enrolment.study = study
        if places_left(enrolment) < 0:
            over.append(enrolment.rater.pseudonym)
    if over:
        raise CannotPutBack(
            f"{item} stays withdrawn: {', '.join(over)} judged another item in its place and would pass the cap of "
            f"{study.cap}. Leave it withdrawn, or exclude them and give their places to others first."
        )


def _make_missing_seats(item: Item, study: Study) -> None:
    """One that was withdrawn when the study opened got no seats."""
    if not Seat.objects.filter(item=item).exists():
        second = Generation.objects.in_bulk([item.second_generation_id] if item.second_generation_id else [])
        Seat.objects.bulk_create(seats_of(item, study, second))
