"""What a claim may know from a while ago: it makes the search short and never decides anything.

Asked of a million seats each time, these would cost more than the claim: the index of free seats keeps an entry of
every seat that was taken until it is vacuumed, and finding the lowest open round walks over all of those.
"""

from __future__ import annotations

from collections.abc import Callable

from django.core.cache import cache

from annotation_site.rating.models import Seat
from annotation_site.studies.models import Item

SECONDS = 10


def lowest_open_round(study: int) -> int:
    """The lowest round with a free seat, 0 if there is none."""

    def look() -> int:
        free = Seat.objects.filter(study=study, state=Seat.State.FREE).order_by("round")
        return free.values_list("round", flat=True).first() or 0

    return _remembered("round", study, look)


def highest_position(study: int) -> int:
    """The position of the last item."""

    def look() -> int:
        items = Item.objects.filter(study=study).order_by("-position")
        return items.values_list("position", flat=True).first() or 0

    return _remembered("position", study, look)


def items_in_use(study: int) -> int:
    """How many items raters are asked about."""
    return _remembered("items", study, lambda: Item.objects.filter(study=study).in_use().count())


def reaping_is_due(study: int) -> bool:
    """Whether this process has not looked for leases that ran out within the last seconds."""
    return bool(cache.add(_key("reaped", study), True, SECONDS))


def forget(study: int) -> None:
    """Look again at the next question, in this process; others find out within seconds."""
    cache.delete_many([_key(name, study) for name in ("round", "position", "items")])


def _remembered(name: str, study: int, look: Callable[[], int]) -> int:
    return int(cache.get_or_set(_key(name, study), look, SECONDS) or 0)


def _key(name: str, study: int) -> str:
    return f"rating/{name}/{study}"
