"""The generation queue: rows that are claimed, given back, held, and taken from workers that died."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import models, transaction
from django.db.models import F, Q

if TYPE_CHECKING:
    from annotation_site.stimuli.models import Generation

QUEUED, CLAIMED, DONE, FAILED = "queued", "claimed", "done", "failed"
MOST_DEATHS = 3
"""A generation that has cost so many workers their life has failed; it makes its last attempt alone."""
AHEAD = 128
"""Rows from the queue's head among which a batch of one recipe is looked for: few, so that a claim stays cheap."""
NOBODY: dict[str, Any] = {"claimed_by": "", "claimed_until": None}
KILLED = (
    f"Its worker was killed or stopped answering {MOST_DEATHS} times while drawing it. See the worker's log (often the "
    "machine ran out of memory), then try again."
)


class GenerationQuerySet(models.QuerySet["Generation"]):
    def queued(self) -> Self:
        """Those that a worker may claim, the most urgent first."""
        return self.filter(state=QUEUED, held=False).order_by("-priority", "id")

    def claimable(self, now: datetime) -> Self:
        """Queued, or claimed by a worker whose lease has run out."""
        dead = Q(state=CLAIMED, claimed_until__lt=now)
        return self.filter(Q(state=QUEUED) | dead, held=False)

    def anything_claimable(self, now: datetime) -> bool:
        """Whether ``claimable`` has rows, asked so that it costs the same however many there are, and were.

        With their order the head of the claim's own index answers; an OR of both, or neither order, may read the table.
        """
        heads = (self.queued(), self.filter(state=CLAIMED, held=False, claimed_until__lt=now).order_by("claimed_until"))
        return any(list(head.values_list("pk", flat=True)[:1]) for head in heads)

    def claim(self, *, worker: str, limit: int, now: datetime, lease: timedelta) -> list[Generation]:
        """Up to ``limit`` generations of one recipe, now claimed by ``worker``; empty when none is left.

        Each row is taken by a conditional update, and the row count decides between two workers that saw it free.
        """
        self.model._default_manager.take_from_the_dead(now=now)
        while heads := list(self.queued().values_list("pk", "recipe", "deaths")[: max(limit, AHEAD)]):
            taken = self._take(batch_of(heads, limit), claimed_by=worker, claimed_until=now + lease)
            if taken:
                return list(self.filter(pk__in=taken).select_related("prompt", "recipe").order_by("-priority", "id"))
            # All of them were taken by others: look again rather than report an empty queue.
        return []

    @transaction.atomic
    def _take(self, wanted: Sequence[int], **owner: Any) -> list[int]:
        """Those of ``wanted`` that were still free; in order of their keys, so that two workers cannot deadlock."""
        free = self.model._default_manager.filter(state=QUEUED, held=False)
        mine = {"state": CLAIMED, "attempts": F("attempts") + 1, "error": "", **owner}
        return [pk for pk in sorted(wanted) if free.filter(pk=pk).update(**mine)]

    def claimed_by(self, worker: str) -> Self:
        return self.filter(state=CLAIMED, claimed_by=worker)

    def give_back(self, worker: str) -> int:
        """Queue again what this worker claimed and did not finish."""
        return self.claimed_by(worker).update(state=QUEUED, **NOBODY)

    def take_from_the_dead(self, *, now: datetime, owners: Collection[str] = ()) -> int:
        """Queue again what these owners claimed, and all whose lease ran out; give up on what killed too many."""
        dead = Q(claimed_until__lt=now)
        if owners:
            dead |= Q(claimed_by__in=owners)
        left = self.filter(dead, state=CLAIMED)
        counted = {"deaths": F("deaths") + 1, **NOBODY}
        given_up = left.filter(deaths__gte=MOST_DEATHS - 1).update(state=FAILED, error=KILLED, **counted)
        return given_up + left.update(state=QUEUED, **counted)

    def retry_failed(self) -> int:
        """Queue the failed ones again; how many there were. What killed its workers gets one more attempt, alone."""
        failed = self.filter(state=FAILED)
        failed.filter(deaths__gte=MOST_DEATHS).update(deaths=MOST_DEATHS - 1)
        return failed.update(state=QUEUED)


def batch_of(heads: Sequence[tuple[int, int, int]], limit: int) -> list[int]:
    """Of (key, recipe, deaths) in the queue's order: those of the first one's recipe, or the first one alone."""
    key, recipe, deaths = heads[0]
    if deaths >= MOST_DEATHS - 1:
        return [key]
    return [pk for pk, other, died in heads if other == recipe and died < MOST_DEATHS - 1][:limit]
