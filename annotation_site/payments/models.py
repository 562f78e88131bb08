"""What raters are promised, and a ledger of what was earned, approved and paid, which only grows.

Rows of the ledger, of used schemes and of batches are never changed or deleted: triggers of the database refuse it.
A balance is a sum of rows; a mistake is corrected by a row that reverses it.
"""

from __future__ import annotations

import uuid
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q, Sum
from django.utils.translation import gettext_lazy as _

from annotation_site.payments.money import CODE
from annotation_site.raters.models import Enrolment
from annotation_site.studies.models import Study


class PayScheme(models.Model):
    """What a study pays, from this version on. Amounts are integers of the currency's minor unit.

    Each change is a new version. A rater is paid by the version that stood when they enrolled, or by a later one made
    for ``everyone`` where that gives more.
    """

    class Excluded(models.TextChoices):
        WORK = "work", _("for their work, without bonuses")
        NOTHING = "nothing", _("nothing")

    class By(models.TextChoices):
        SOURCE = "", _("the way of each rater's source")
        CODE = "code", _("us, by our finance office")
        OUTSIDE = "outside", _("the panel itself, by its code")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="pay_schemes")
    version = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, validators=[RegexValidator(CODE, _("Three letters, such as USD."))])
    base = models.PositiveBigIntegerField(default=0, help_text=_("For taking part, with the first answer."))
    per_item = models.PositiveBigIntegerField(default=0, help_text=_("For each answer, checks included."))
    per_minute = models.PositiveBigIntegerField(default=0, help_text=_("For each minute worked."))
    item_seconds_least = models.PositiveIntegerField(
        default=0, help_text=_("An answer counts as at least so many seconds.")
    )
    item_seconds_most = models.PositiveIntegerField(
        default=120,
        validators=[MinValueValidator(1), MaxValueValidator(3600)],
        help_text=_("An answer, or a pause between two, counts as at most so many seconds."),
    )
    least = models.PositiveBigIntegerField(default=0, help_text=_("Whoever gives an answer gets at least this."))
    most = models.PositiveBigIntegerField(
        null=True, blank=True, help_text=_("Nobody gets more, bonuses aside; empty: no bound.")
    )
    bonus_complete = models.PositiveBigIntegerField(default=0, help_text=_("For reaching the end."))
    bonus_checks = models.PositiveBigIntegerField(
        default=0, help_text=_("For reaching the end with enough of the checks passed.")
    )
    bonus_checks_percent = models.PositiveSmallIntegerField(
        default=80, validators=[MaxValueValidator(100)], help_text=_("Percent of the checks that is enough.")
    )
    screen_out = models.PositiveBigIntegerField(
        default=0, help_text=_("For those who did not pass the practice, and so could not rate.")
    )
    excluded = models.CharField(
        max_length=10, choices=Excluded, default=Excluded.WORK, help_text=_("What excluded raters get.")
    )
    hourly_minimum = models.PositiveBigIntegerField(default=0, help_text=_("Warn when the median hour pays less."))
    by = models.CharField(max_length=10, choices=By, default=By.SOURCE, blank=True, help_text=_("Who pays."))
    everyone = models.BooleanField(
        default=False, help_text=_("Also for raters who enrolled before: they get whichever version gives more.")
    )
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["study_id", "version"]
        constraints = [
            models.UniqueConstraint(fields=["study", "version"], name="a_pay_scheme_has_each_version_once"),
            models.CheckConstraint(
                condition=Q(item_seconds_most__gte=F("item_seconds_least")), name="an_items_most_seconds_are_not_less"
            ),
            models.CheckConstraint(condition=Q(most__isnull=True) | Q(most__gte=F("least")), name="most_is_not_less"),
        ]

    def __str__(self) -> str:
        return f"{self.study.slug}: pay scheme {self.version}"


class Batch(models.Model):
    """The approvals that one person confirmed at once. ``digest`` names exactly the rows that they were shown."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="pay_batches")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["study_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="batches_of_a_study_are_numbered"),
            models.UniqueConstraint(fields=["study", "digest"], name="a_preview_is_confirmed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.study.slug}: batch {self.number}"


class EntryQuerySet(models.QuerySet["Entry"]):
    def sums(self, *by: str) -> dict[tuple, int]:
        """Amounts summed by these fields."""
        rows = self.order_by().values_list(*by).annotate(Sum("amount"))
        return {tuple(row[:-1]): row[-1] for row in rows}

    def unpaid(self) -> Self:
        """Approvals that stand and were not paid: neither settled nor reversed."""
        approvals = self.filter(kind=Entry.Kind.APPROVAL, reverses__isnull=True)
        return approvals.filter(settled_by__isnull=True, reversed_by__isnull=True)


class Entry(models.Model):
    """A row of the ledger. What is owed is accruals and bonuses less payments; approvals say what may be paid.

    A hold, a rejection and a release move no money: the last of them says whether the rater is to be paid.
    ``key`` names an approval towards payers.
    """

    class Kind(models.TextChoices):
        ACCRUAL = "accrual", _("earned")
        BONUS = "bonus", _("bonus")
        APPROVAL = "approval", _("approved")
        PAYMENT = "payment", _("paid")
        HOLD = "hold", _("held back")
        REJECTION = "rejection", _("rejected")
        RELEASE = "release", _("released")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="pay_entries")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="pay_entries")
    kind = models.CharField(max_length=10, choices=Kind)
    amount = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    scheme = models.ForeignKey(PayScheme, on_delete=models.PROTECT, related_name="entries", null=True, blank=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="entries", null=True, blank=True)
    settles = models.OneToOneField("self", on_delete=models.PROTECT, related_name="settled_by", null=True, blank=True)
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, related_name="reversed_by", null=True, blank=True)
    key = models.UUIDField(unique=True, default=uuid.uuid4)
    way = models.CharField(max_length=30, blank=True, help_text=_("Who pays, in the words of a source."))
    reference = models.CharField(max_length=200, blank=True, help_text=_("The payer's own name for the payment."))
    reason = models.TextField(blank=True)
    details = models.JSONField(default=list, blank=True, help_text=_("What the amount is made of."))
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "entries"
        indexes = [models.Index(fields=["study", "kind"], name="entries_of_a_study")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["hold", "rejection", "release"], amount=0, reverses__isnull=True)
                | Q(kind__in=["accrual", "bonus", "approval", "payment"], amount__gt=0, reverses__isnull=True)
                | Q(kind__in=["accrual", "bonus", "approval", "payment"], amount__lt=0, reverses__isnull=False),
                name="only_a_reversal_takes_away",
            ),
            models.CheckConstraint(
                condition=Q(kind="payment", reverses__isnull=True, settles__isnull=False)
                | (~Q(kind="payment") | Q(reverses__isnull=False)) & Q(settles__isnull=True),
                name="a_payment_settles_an_approval",
            ),
            models.CheckConstraint(
                condition=~Q(reason="") | Q(kind__in=["accrual", "approval", "payment"], reverses__isnull=True),
                name="a_decision_and_a_correction_have_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.get_kind_display()} {self.amount} {self.currency}"


class Errand(models.Model):
    """What an outside system is still to be told: to pay an approval, or that a rater is rejected.

    Claimed by a conditional UPDATE, so that no two processes tell it at once; a claim that runs out is taken up again.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        CLAIMED = "claimed", _("being sent")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        TAKEN_BACK = "taken back", _("taken back")

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="errand")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    not_before = models.DateTimeField(help_text=_("When it may be claimed (again)."))
    attempts = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["not_before"], condition=Q(state__in=["waiting", "claimed"]), name="errands_to_run")
        ]

    def __str__(self) -> str:
        return f"{self.entry}: {self.get_state_display()}"
