"""Addresses that want to hear what happens in a study, and what was sent to each."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation_site.encryption import decrypt, encrypt
from annotation_site.outgoing import FAILED, WAITING, Outgoing, OutgoingQuerySet
from annotation_site.studies.models import Study
from annotation_site.webhooks.addresses import check_address


class Event(models.TextChoices):
    OPENED = "study.opened", _("a study opened, or went on after a pause")
    PAUSED = "study.paused", _("a study was paused")
    CLOSED = "study.closed", _("a study was closed")
    FINISHED = "study.finished", _("every place of a study is answered")
    MILESTONE = "judgements.milestone", _("10, 25, 50, 75 or 90 percent of the places are answered")
    COMPLETED = "enrolment.completed", _("a rater has nothing left to do")
    MADE = "generations.finished", _("all images of a study are made or have failed")
    FAILED = "generations.failed", _("images of a study have failed")
    THRESHOLD = "report.threshold", _("a number of the report has passed the bound that you set")


def new_secret() -> str:
    return "whsec_" + secrets.token_urlsafe(32)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def of(self, user: Any) -> Self:
        """A user's own; admins see all of them."""
        return self if user.is_active and user.is_superuser else self.filter(owner=user)

    def active(self) -> Self:
        return self.filter(active=True, owner__is_active=True)


class Webhook(models.Model):
    """An address that is told of events, in one study or in all that its owner runs.

    While it is not active nothing is sent and nothing is lost: what happened meanwhile is sent when it is active again.
    """

    class Measure(models.TextChoices):
        NONE = "", "-"
        JUDGEMENTS = "judgements", _("counted judgements")
        AGREEMENT = "agreement", _("agreement (Krippendorff's alpha)")

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="webhooks", null=True, blank=True)
    address = models.CharField(
        max_length=500, validators=[URLValidator(schemes=["http", "https"], message=_("Write a whole address."))]
    )
    events = models.JSONField(default=list)
    measure = models.CharField(max_length=12, choices=Measure, default=Measure.NONE, blank=True)
    above = models.FloatField(null=True, blank=True)
    below = models.FloatField(null=True, blank=True)
    least_judgements = models.PositiveIntegerField(default=0, help_text=_("Say nothing of the number before so many."))
    encrypted_secret = models.TextField()
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    # On no page: all completions before it are written down; without it, none since the webhook was made.
    completions_until = models.DateTimeField(null=True, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(measure="", above__isnull=True, below__isnull=True)
                | (~Q(measure="") & (Q(above__isnull=True) ^ Q(below__isnull=True))),
                name="a_measure_has_one_bound",
            )
        ]

    def __str__(self) -> str:
        return f"{self.address} of {self.owner}"

    def clean(self) -> None:
        check_address(self.address)
        unknown = sorted({str(event) for event in self.events} - set(Event.values))
        if unknown or not self.events or not isinstance(self.events, list):
            raise ValidationError({"events": _("Choose at least one of %s.") % ", ".join(Event.values)})
        if (Event.THRESHOLD in self.events) != bool(self.measure):
            raise ValidationError({"measure": _("Name a measure with its bound for report.threshold, and only then.")})
        if bool(self.measure) != ((self.above is None) != (self.below is None)):
            raise ValidationError({"measure": _("A measure has one bound: “above” or “below”.")})

    @property
    def secret(self) -> str:
        return decrypt(self.encrypted_secret)

    def renew_secret(self) -> str:
        """A new secret, shown this once; every later delivery is signed with it."""
        text = new_secret()
        self.encrypted_secret = encrypt(text)
        return text


class Delivery(Outgoing):
    """One event for one address. ``key`` names the event, so that it is written down once."""

    WAITS = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200, 21600, 86400))
    CLAIM = timedelta(minutes=2)
    WANTED = Q(webhook__active=True)

    class State(models.TextChoices):
        WAITING = WAITING, _("to be sent")
        DELIVERED = "delivered", _("delivered")
        FAILED = FAILED, _("given up")
        PAST = "past", _("happened before the webhook")

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="+")
    event = models.CharField(max_length=30, choices=Event)
    key = models.CharField(max_length=120)
    data = models.JSONField(default=dict)
    happened_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    objects = OutgoingQuerySet["Delivery"].as_manager()

    class Meta:
        ordering = ["-happened_at", "id"]
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["due_at"], condition=Q(state=WAITING), name="waiting_deliveries")]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "key"], name="an_event_is_written_down_once_for_a_webhook")
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook}"

    def settle(self, *, now: datetime, status: int | None, error: str) -> None:
        """Write down how the attempt that this caller claimed ended, and when the next one follows."""
        told = {"last_attempt_at": now, "last_status": status, "last_error": error[:500]}
        if error:
            self.put_off(now, **told)
        else:
            self.end(self.State.DELIVERED, **told)

    def again(self, now: datetime) -> bool:
        """Send it once more, from the first attempt on; False while it is still to be sent anyway."""
        ended = Delivery.objects.filter(pk=self.pk).exclude(state=self.State.WAITING)
        return bool(ended.update(state=self.State.WAITING, attempts=0, due_at=now, claimed_until=None))
