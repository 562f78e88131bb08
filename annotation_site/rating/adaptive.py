"""More places for items whose raters disagree, by the rule that the study fixed at its opening."""

from __future__ import annotations

from collections.abc import Hashable

from annotation_site.rating.assignment import hints
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item
from attribution.analysis.adaptive import needs_more


def extend(judgement: Judgement) -> int:
    """Make the places that the item needs after this answer; how many. Called in the answer's own transaction.

    The decision falls when the last open place of a stage is answered, once: a later correction takes nothing back.
    """
    seat = judgement.seat
    rule = seat.item.study.adaptive_rule()
    if rule is None or judgement.surplus or judgement.revision > 1 or seat.item.purpose:
        return 0
    # Two raters may finish a stage together: the second to come sees both answers.
    item = Item.objects.select_for_update(no_key=True).get(pk=seat.item_id)
    seats = Seat.objects.filter(item=item)
    places, answers = seats.count(), _answers(item)
    if len(answers) < places or item.withdrawn_at is not None:
        return 0
    more = needs_more(answers, rule)
    Seat.objects.bulk_create(
        Seat(study_id=item.study_id, item=item, round=places + n, position=item.position, state=Seat.State.FREE)
        for n in range(more)
    )
    if more:
        hints.forget(item.study_id)
    return more


def _answers(item: Item) -> list[Hashable]:
    """The answers in the order in which their places were first taken; None is an opt-out."""
    stored = Judgement.objects.filter(seat__item=item, surplus=False, current=True)
    fields = ("seat_id", "rating", "opt_out", "first_present", "second_present", "change")
    first = dict(Judgement.objects.filter(seat__item=item, surplus=False, revision=1).values_list("seat_id", "id"))
    rows = sorted(stored.values_list(*fields), key=lambda row: first.get(row[0], 0))
    return [None if row[2] else (row[1] if row[1] is not None else row[3:]) for row in rows]
