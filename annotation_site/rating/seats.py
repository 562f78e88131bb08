"""A study's seats by state: those of items in use, as every report counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from django.db.models import Count, QuerySet

from annotation_site.rating.models import Seat
from annotation_site.studies.models import Item, Study


@dataclass(frozen=True)
class Seats:
    """How many there are in each state."""

    pending: int
    free: int
    leased: int
    done: int

    @classmethod
    def of(cls, number: Mapping[str, int]) -> Self:
        """By state; one that is not there has none."""
        return cls(*(number.get(state, 0) for state in ("pending", "free", "leased", "done")))

    @property
    def total(self) -> int:
        return self.pending + self.free + self.leased + self.done

    @property
    def left(self) -> int:
        return self.total - self.done


def in_use(study: Study) -> QuerySet[Seat]:
    return Seat.objects.filter(study=study, item__in=Item.objects.in_use())


def seats(study: Study) -> Seats:
    return Seats.of(dict(in_use(study).order_by().values_list("state").annotate(Count("pk"))))
