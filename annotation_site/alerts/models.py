"""What the members of a study want to be told by e-mail, what was noticed, and what was sent to whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.forms.models import model_to_dict
from django.utils.translation import gettext_lazy as _

from annotation_site.outgoing import FAILED, WAITING, Outgoing, OutgoingQuerySet
from annotation_site.studies.models import Study


class Kind(models.TextChoices):
    FINISHED = "finished", _("every place is answered")
    AGREEMENT = "agreement", _("raters agree too little")
    FAILURES = "failures", _("more checks are failed")
    STUCK = "stuck", _("images are not made")


class Bounds(models.Model):
    """From where on a study's members are told; and how far it has been looked at. Without a row, the defaults hold."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="alert_bounds")
    agreement_below = models.FloatField(
        _("Agreement (alpha) below"),
        null=True,
        blank=True,
        default=0.2,
        validators=[MinValueValidator(-1), MaxValueValidator(1)],
        help_text=_("As the report computes it. Empty: say nothing of it."),
    )
    agreement_answers = models.PositiveIntegerField(
        _("once so many answers can be compared"),
        default=100,
        validators=[MinValueValidator(2)],
        help_text=_("Answers to items that have at least two."),
    )
    failures_percent = models.PositiveSmallIntegerField(
        _("Checks failed, percent, above"),
        null=True,
        blank=True,
        default=30,
        validators=[MaxValueValidator(99)],
        help_text=_("Of the last raters, and more than of those before them. Empty: say nothing of it."),
    )
    failures_raters = models.PositiveSmallIntegerField(
        _("among so many last raters"), default=10, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    stuck_minutes = models.PositiveSmallIntegerField(
        _("No image made for minutes"),
        null=True,
        blank=True,
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(10_080)],
        help_text=_("While images of the study wait; or at once when some have failed. Empty: say nothing of it."),
    )
    seen_answers = models.PositiveIntegerField(null=True, editable=False)
    waiting_since = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name_plural = "bounds"

    def __str__(self) -> str:
        return f"bounds of {self.study}"

    def looked(self, answers: int) -> None:
        """Answers have been looked at by these bounds; by others that were stored meanwhile, they have not."""
        Bounds.objects.filter(**model_to_dict(self)).update(seen_answers=answers)


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def wanted(self) -> Self:
        return self.filter(muted_at__isnull=True, user__is_active=True)


class Subscription(models.Model):
    """A user who asked to be told of a study; ``muted_at`` while they would rather not be."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="alert_subscriptions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_subscriptions")
    locale = models.CharField(max_length=10, blank=True, help_text=_("Language of the page on which they asked."))
    muted_at = models.DateTimeField(null=True, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "user"], name="a_user_asks_once_for_a_studys_alerts")]

    def __str__(self) -> str:
        return f"{self.user}, of {self.study}"

    def mute(self, now: datetime) -> bool:
        """Say no more; False where nothing was said already."""
        return bool(Subscription.objects.filter(pk=self.pk, muted_at__isnull=True).update(muted_at=now))


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> Self:
        return self.filter(ended_at__isnull=True)


class Alert(models.Model):
    """Something noticed in a study, from when it was until it was over; ``episode`` counts the times that it was so."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=12, choices=Kind)
    episode = models.PositiveIntegerField()
    data = models.JSONField(default=dict)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-began_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["study", "kind", "episode"], name="an_episode_is_one_alert"),
            models.UniqueConstraint(
                fields=["study", "kind"], condition=Q(ended_at__isnull=True), name="one_alert_of_a_kind_is_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}: {self.get_kind_display()}"

    def end(self, now: datetime) -> bool:
        """It is over, and would be told of again; False if another has said so."""
        return bool(Alert.objects.open().filter(pk=self.pk).update(ended_at=now))


class Notice(Outgoing):
    """An alert on its way to one who asked; ``uid`` is in the mail's Message-ID."""

    WAITS = tuple(timedelta(seconds=seconds) for seconds in (60, 300, 1800, 7200, 21600, 86400))
    CLAIM = timedelta(minutes=5)

    class State(models.TextChoices):
        WAITING = WAITING, _("to be sent")
        SENT = "sent", _("sent")
        FAILED = FAILED, _("given up")
        DROPPED = "dropped", _("not sent")

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notices")
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="notices")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    settled_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, help_text=_("Why the last attempt failed, or nothing was sent."))

    objects = OutgoingQuerySet["Notice"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(state=WAITING), name="waiting_notices")]
        constraints = [models.UniqueConstraint(fields=["alert", "subscription"], name="an_alert_is_sent_once_to_each")]

    def __str__(self) -> str:
        return f"{self.alert} to {self.subscription.user}"

    def settle(self, *, now: datetime, error: str = "", dropped: bool = False) -> None:
        """Write down how the attempt that this caller claimed ended, and when the next one follows."""
        told = {"settled_at": now, "error": error[:500]}
        if error and not dropped:
            self.put_off(now, **told)
        else:
            self.end(self.State.DROPPED if dropped else self.State.SENT, **told)
