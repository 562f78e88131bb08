"""Studies that were ordered: what a researcher chose, kept until a worker has made the study of it.

A page cannot make a study: parsing captions needs spaCy, which only workers load. So the wizard writes a row, a worker
claims it as it claims a generation, and the study, its researcher and the row's end come in one transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class OrderQuerySet(models.QuerySet["StudyOrder"]):
    def of(self, user: Any) -> Self:
        """A user's own orders, unfinished ones first seen last changed."""
        return self.filter(orderer=user.pk)

    def claimable(self, now: datetime) -> Self:
        """Queued, or claimed by a worker whose lease has run out."""
        dead = Q(state=StudyOrder.State.BUILDING, claimed_until__lt=now)
        return self.filter(Q(state=StudyOrder.State.QUEUED) | dead)

    def claim(self, *, worker: str, now: datetime, lease: timedelta) -> StudyOrder | None:
        """The oldest order, now this worker's; None when none is left. The row count decides between two workers."""
        for pk in list(self.claimable(now).order_by("ordered_at", "pk").values_list("pk", flat=True)):
            claimed = self.filter(pk=pk).claimable(now).update(
                state=StudyOrder.State.BUILDING,
                claimed_by=worker,
                claimed_until=now + lease,
                attempts=models.F("attempts") + 1,
            )  # fmt: skip
            if claimed:
                return self.get(pk=pk)
        return None


class StudyOrder(models.Model):
    """A study to be. A draft is what the wizard was told so far; ``choices`` are the whole of it once it is ordered."""

    class Preset(models.TextChoices):
        ATTRIBUTION = "attribution", _("Which words' heat maps are right?")
        COMPARISON = "comparison", _("Can people tell a method's maps from others?")
        PRESENCE = "presence", _("Are both of two similar things drawn?")
        CHANGE = "change", _("What changes with one adjective?")

    class State(models.TextChoices):
        DRAFT = "draft", _("not ordered yet")
        QUEUED = "queued", _("waiting for a worker")
        BUILDING = "building", _("being made")
        DONE = "done", _("made")
        FAILED = "failed", _("could not be made")

    orderer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="study_orders")
    preset = models.CharField(max_length=12, choices=Preset)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    answers = models.JSONField(default=dict, help_text=_("What was typed, by the wizard's page."))
    choices = models.JSONField(default=dict, help_text=_("What was ordered, checked."))
    captions_name = models.CharField(max_length=100, blank=True)
    captions_file = models.CharField(max_length=200, blank=True, help_text=_("Where the uploaded captions are stored."))
    study = models.OneToOneField(
        "studies.Study", on_delete=models.SET_NULL, null=True, blank=True, related_name="order"
    )
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=200, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ordered_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="building") | Q(claimed_until__isnull=False), name="a_claimed_order_runs_out"
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(error=""), name="a_failed_order_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(ordered_at__isnull=False), name="an_order_has_its_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_preset_display()} ({self.get_state_display()})"

    @property
    def is_editable(self) -> bool:
        return self.state in EDITABLE

    def keep(self, **fields: Any) -> bool:
        """Store what was answered, unless the order has been placed meanwhile."""
        return bool(StudyOrder.objects.filter(pk=self.pk, state__in=EDITABLE).update(**fields))

    @transaction.atomic
    def answer(self, page: str, typed: dict[str, list[str]], **fields: Any) -> bool:
        """Store a page's answers beside the others', which another tab may give at this moment; False as in keep."""
        stored = StudyOrder.objects.select_for_update().filter(pk=self.pk, state__in=EDITABLE).first()
        return stored is not None and stored.keep(answers={**stored.answers, page: typed}, **fields)

    def place(self, choices: dict[str, Any], now: datetime) -> bool:
        """Queue the order with these choices; False where it is queued already."""
        return self.keep(
            choices=choices, state=self.State.QUEUED, ordered_at=now, finished_at=None, error="", attempts=0
        )

    def end(self, *, now: datetime, study: Any = None, error: str = "") -> bool:
        """Done with this study, or failed for this reason; False where another worker has the order by now."""
        mine = StudyOrder.objects.filter(
            pk=self.pk, state=self.State.BUILDING, claimed_by=self.claimed_by, attempts=self.attempts
        )
        state = self.State.FAILED if error else self.State.DONE
        return bool(
            mine.update(state=state, study=study, error=error, finished_at=now, claimed_by="", claimed_until=None)
        )


EDITABLE = (StudyOrder.State.DRAFT, StudyOrder.State.FAILED)
