"""A study as it stands at Prolific: the draft, who took part, what was decided and paid, and what Prolific told us."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from annotation_site.raters.models import Enrolment, Source


class ProlificStudy(models.Model):
    """What is sent to Prolific for a source, and what became of it there. Amounts are integers of the minor unit."""

    class Devices(models.TextChoices):
        ANY = "any", _("any device")
        DESKTOP = "desktop", _("computers only")

    class Actor(models.TextChoices):
        PARTICIPANT = "participant", _("by their code, at once")
        RESEARCHER = "researcher", _("by us, when payments are approved")

    source = models.OneToOneField(Source, on_delete=models.PROTECT, related_name="prolific")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    prolific_id = models.CharField(
        _("Prolific's id of the study"),
        max_length=40,
        blank=True,
        help_text=_("Filled in when the draft is created; or that of a study which you made at Prolific yourself."),
    )
    status = models.CharField(max_length=20, blank=True)
    status_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text=_("When its creation was last begun."))
    name = models.CharField(_("title"), max_length=120)
    description = models.TextField(_("description"), help_text=_("What participants read before they take part."))
    reward = models.PositiveIntegerField(_("reward"), help_text=_("In cents or pence, for each complete submission."))
    currency = models.CharField(_("currency"), max_length=3, default="GBP", help_text=_("That of your workspace."))
    places = models.PositiveIntegerField(_("places"), validators=[MinValueValidator(1)])
    minutes = models.PositiveSmallIntegerField(
        _("minutes"), validators=[MinValueValidator(1), MaxValueValidator(600)], help_text=_("Estimated time.")
    )
    devices = models.CharField(_("devices"), max_length=10, choices=Devices, default=Devices.ANY)
    approve_automatically = models.BooleanField(
        _("approve at once"), default=False, help_text=_("Prolific pays whoever comes back with the complete code.")
    )
    screen_out_reward = models.PositiveIntegerField(
        _("screen-out reward"), default=0, help_text=_("In cents or pence; 0: those screened out are asked to return.")
    )
    screen_out_slots = models.PositiveIntegerField(
        _("most screen-outs"), default=0, help_text=_("Prolific pauses the study after so many.")
    )
    screen_out_actor = models.CharField(_("screened out"), max_length=12, choices=Actor, default=Actor.PARTICIPANT)
    project = models.CharField(_("project"), max_length=40, blank=True, help_text=_("Empty: your default project."))

    class Meta:
        verbose_name_plural = "Prolific studies"
        constraints = [
            models.UniqueConstraint(
                fields=["prolific_id"], condition=~Q(prolific_id=""), name="a_prolific_study_is_of_one_source"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source.study.slug} at Prolific"

    def clean(self) -> None:
        """Refuse what Prolific would refuse."""
        if self.screen_out_reward and not self.screen_out_slots:
            raise ValidationError({"screen_out_slots": _("Say how many may be screened out with a reward.")})
        if self.screen_out_reward and self.reward is not None and self.screen_out_reward >= self.reward:
            raise ValidationError({"screen_out_reward": _("It must be less than the reward.")})


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def newest(self) -> Submission | None:
        """The one begun last, whenever we heard of it; one without a known beginning counts as the oldest."""
        return self.order_by(F("started_at").desc(nulls_last=True), "-pk").first()


class Submission(models.Model):
    """One participation at Prolific. ``status`` is Prolific's word; ``status_at`` when it was so."""

    prolific_study = models.ForeignKey(ProlificStudy, on_delete=models.PROTECT, related_name="submissions")
    submission_id = models.CharField(max_length=40, unique=True)
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.PROTECT, related_name="submissions", null=True, blank=True
    )
    status = models.CharField(max_length=20)
    status_at = models.DateTimeField()
    started_at = models.DateTimeField(
        null=True, blank=True, help_text=_("By Prolific's word; until that is known, when the rater came with it.")
    )
    entered_code = models.CharField(max_length=60, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.submission_id}: {self.status}"


class Action(models.Model):
    """Something to be done at Prolific that decides about money: written down before it is sent, under its own key.

    waiting -> sending -> done; a bonus is ``paying`` from just before the one request that pays it. ``unclear``: nobody
    knows whether it was done; only Prolific's own answer, or a person, gets it out of that.
    """

    class Kind(models.TextChoices):
        APPROVE = "approve", _("approve")
        REJECT = "reject", _("reject")
        SCREEN_OUT = "screen-out", _("screen out")
        BONUS = "bonus", _("bonus")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        PAYING = "paying", _("being paid")
        UNCLEAR = "unclear", _("unclear")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="actions")
    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=80, unique=True)
    amount = models.PositiveIntegerField(default=0)
    category = models.CharField(max_length=20, blank=True)
    message = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    bulk_id = models.CharField(max_length=60, blank=True, help_text=_("Prolific's id of the prepared bonus."))
    bonuses_before = models.JSONField(null=True, blank=True, help_text=_("What was paid before, in cents."))
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["submission"],
                condition=~Q(kind="bonus") & ~Q(state="refused"),
                name="a_submission_is_decided_once",
            ),
            models.UniqueConstraint(
                fields=["submission"],
                condition=Q(kind="bonus", state__in=["sending", "paying", "unclear"]),
                name="one_bonus_of_a_submission_is_on_its_way",
            ),
            models.CheckConstraint(condition=~Q(kind="bonus") | Q(amount__gte=1), name="a_bonus_has_an_amount"),
            models.CheckConstraint(
                condition=~Q(kind="reject") | ~Q(category="") & ~Q(message=""), name="a_rejection_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.submission.submission_id}: {self.get_state_display()}"

    def note(self, state: str, **fields: Any) -> Action:
        """Write down what became of it, unless somebody else has taken it up since: then theirs stands."""
        here = Action.objects.filter(pk=self.pk, state=self.state, sent_at=self.sent_at)
        here.update(state=state, **fields)
        self.refresh_from_db()
        return self


class WebhookEvent(models.Model):
    """An event of Prolific's that was handled: stored with its effect, so that it has none a second time."""

    event_id = models.CharField(max_length=80, unique=True)
    signature = models.CharField(max_length=80, unique=True)
    event_type = models.CharField(max_length=60)
    sent_at = models.DateTimeField()
    handled_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"
