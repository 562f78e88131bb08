"""How much a rater has done, and may still do. Nothing here grows with the seats behind them."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import hints
from annotation_site.rating.models import Seat
from annotation_site.studies.models import Item


def places_left(enrolment: Enrolment) -> int:
    """How many more seats the study's cap allows this rater; leases and answers both count, checks do not."""
    mine = _counts(enrolment, answered=_answered(enrolment), leased=_leased(enrolment))
    return (enrolment.study.cap or 0) - mine["answered"] - mine["leased"]


def answered(enrolment: Enrolment) -> int:
    """How many items in use this rater has judged, each in a seat of its own."""
    return _counts(enrolment, answered=_answered(enrolment))["answered"]


def progress(enrolment: Enrolment) -> tuple[int, int]:
    """Judgements given, and how many this rater may give: the cap, or all items if there are fewer."""
    return answered(enrolment), min(enrolment.study.cap or 0, hints.items_in_use(enrolment.study_id))


def last_ordinal(enrolment: Enrolment) -> Coalesce:
    """How many seats the rater has filled: the ordinal of the last of them, since they have no gaps."""
    mine = Seat.objects.filter(enrolment=enrolment, ordinal__isnull=False).order_by("-ordinal")
    return Coalesce(Subquery(mine.values("ordinal")[:1]), 0)


def _counts(enrolment: Enrolment, **counts: Any) -> dict[str, int]:
    """Several counts in one statement."""
    return Enrolment.objects.filter(pk=enrolment.pk).values(**counts).get()


def _answered(enrolment: Enrolment) -> Any:
    withdrawn = Item.objects.filter(study=enrolment.study_id, withdrawn_at__isnull=False, purpose=Item.Purpose.RATED)
    # From the few withdrawn items to the rater's seats, whatever the planner thinks of the way round.
    held = Seat.objects.filter(enrolment=enrolment, item=OuterRef("pk"), state=Seat.State.DONE).order_by()
    return last_ordinal(enrolment) - _count(withdrawn.alias(held=Subquery(held.values("pk")[:1])).filter(held__gt=0))


def _leased(enrolment: Enrolment) -> Coalesce:
    mine = Seat.objects.filter(enrolment=enrolment, state=Seat.State.LEASED)
    return _count(mine.filter(item__withdrawn_at__isnull=True, item__purpose=Item.Purpose.RATED))


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values(all=Value(1)).annotate(number=Count("*")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
