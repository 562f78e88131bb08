"""What waits to be sent: each row by one sender at a time, again after a while, and given up in the end."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import F, Q

WAITING, FAILED = "waiting", "failed"
Row = TypeVar("Row", bound="Outgoing", covariant=True)


class OutgoingQuerySet(models.QuerySet[Row]):
    def waiting(self, now: datetime) -> Self:
        """Their time has come and nobody is sending them; those whose sender died too."""
        alive = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
        return self.filter(alive, state=WAITING, due_at__lte=now)

    def due(self, now: datetime) -> Self:
        """To be sent now."""
        return self.waiting(now).filter(self.model.WANTED)

    def claim(self, pk: int, now: datetime) -> Row | None:
        """The row, now this caller's to send; None where another has it or it is not due."""
        if not self.due(now).filter(pk=pk).exists():
            return None
        # Of two that found it due at once the second finds it claimed: the row count decides. By conditions on the row
        # alone: PostgreSQL would not look at another table again once it has waited for the first one.
        mine = self.waiting(now).filter(pk=pk).update(claimed_until=now + self.model.CLAIM, attempts=F("attempts") + 1)
        return self.get(pk=pk) if mine else None


class Outgoing(models.Model):
    """``uid`` names what is sent and stays the same at every attempt, so that receivers can leave repeats out.

    A child declares ``state`` again with its choices, of which two are :data:`WAITING` and :data:`FAILED`.
    """

    #: How long after each failed attempt the next one follows. After the last one it is given up.
    WAITS: ClassVar[tuple[timedelta, ...]]
    #: After so long a sender counts as dead.
    CLAIM: ClassVar[timedelta]
    #: What else must hold, of other tables too, for one to be sent.
    WANTED: ClassVar[Q] = Q()

    state = models.CharField(max_length=10, default=WAITING)
    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def end(self, state: str, **told: Any) -> None:
        """Write down how the attempt that this caller claimed ended, if it is this caller's still."""
        mine = type(self)._default_manager.filter(pk=self.pk, state=WAITING, attempts=self.attempts)
        mine.update(state=state, claimed_until=None, **told)

    def put_off(self, now: datetime, **told: Any) -> None:
        """The claimed attempt failed: when the next one follows, if one does."""
        if self.attempts > len(self.WAITS):
            self.end(FAILED, **told)
        else:
            self.end(WAITING, due_at=now + self.WAITS[self.attempts - 1], **told)
