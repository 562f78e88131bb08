"""People who rate, and their part in one study."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Self

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation_site import audit
from annotation_site.raters.source_rows import Invitation, Outcome, Source
from annotation_site.studies.models import ConsentText, Item, Study

__all__ = ["Enrolment", "EnrolmentQuerySet", "Invitation", "Outcome", "PracticeAnswer", "Rater", "Source"]


def new_pseudonym() -> str:
    """Ten characters without vowels or look-alikes: unguessable, and readable over the telephone."""
    alphabet = "23456789BCDFGHJKLMNPQRSTVWXZ"
    return "R-" + "".join(secrets.choice(alphabet) for place in range(10))


def new_token() -> str:
    return secrets.token_urlsafe(24)


class Rater(models.Model):
    """A person, known by a pseudonym alone. ``simulated`` marks a program that answers for demos and load tests."""

    pseudonym = models.CharField(max_length=20, unique=True, default=new_pseudonym)
    simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.pseudonym + (" (simulated)" if self.simulated else "")


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def counted(self) -> Self:
        """Those whose judgements count: nobody excluded them."""
        return self.filter(excluded_at__isnull=True)

    def people(self) -> Self:
        return self.filter(rater__simulated=False)


class Enrolment(models.Model):
    """A rater in a study. ``token`` is the secret part of the link by which they leave and return."""

    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="enrolments")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="enrolments")
    token = models.CharField(max_length=64, unique=True, default=new_token)
    source = models.CharField(max_length=30, default="open link", help_text=_("The kind of source they came by."))
    arrived_by = models.ForeignKey(
        Source, on_delete=models.PROTECT, related_name="enrolments", null=True, blank=True, db_index=False
    )
    place = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("The rater is the n-th who came in by their source.")
    )
    external_hash = models.CharField(
        max_length=64, blank=True, help_text=_("Keyed hash of the id by which another system knows the rater.")
    )
    locale = models.CharField(max_length=10, blank=True)
    consent_version = models.CharField(max_length=20, blank=True)
    consent_text = models.ForeignKey(
        ConsentText,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("The study's own text that was agreed to; none: Attest's, of that version."),
    )
    consented_at = models.DateTimeField(null=True, blank=True)
    instructed_at = models.DateTimeField(null=True, blank=True, help_text=_("When the instructions were read."))
    ready_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When instructions and practice lay behind the rater.")
    )
    screened_out_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the last attempt at the practice was not passed.")
    )
    breaks_offered = models.PositiveIntegerField(default=0)
    check_failure = models.TextField(blank=True, help_text=_("Which checks were failed, once they were too many."))
    warned_at = models.DateTimeField(null=True, blank=True, help_text=_("When the rater was asked to take more care."))
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the rater gave their part back where they came from.")
    )
    excluded_at = models.DateTimeField(null=True, blank=True)
    exclusion_reason = models.TextField(blank=True)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            # Finds those who finished since a moment among all who ever did.
            models.Index(
                fields=["study", "completed_at"],
                condition=models.Q(completed_at__isnull=False),
                name="completed_enrolments",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["rater", "study"], name="a_rater_enrols_once_in_a_study"),
            models.UniqueConstraint(
                fields=["study", "external_hash"],
                condition=~models.Q(external_hash=""),
                name="an_external_id_enrols_once_in_a_study",
            ),
            models.UniqueConstraint(fields=["arrived_by", "place"], name="a_place_of_a_source_is_taken_once"),
            models.CheckConstraint(
                condition=models.Q(arrived_by__isnull=True, place__isnull=True)
                | models.Q(arrived_by__isnull=False, place__isnull=False, place__gte=1),
                name="whoever_came_by_a_source_has_a_place_of_it",
            ),
            models.CheckConstraint(
                condition=models.Q(excluded_at__isnull=True) | ~models.Q(exclusion_reason=""),
                name="an_exclusion_has_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(ready_at__isnull=True) | models.Q(screened_out_at__isnull=True),
                name="nobody_is_ready_and_screened_out",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rater.pseudonym} in {self.study.slug}"

    def complete(self) -> bool:
        """Nothing is left for this rater to do; False where that was known already.

        The database stamps the moment as it writes it: what is new is found by these stamps (``settled_until``).
        """
        mine = Enrolment.objects.filter(pk=self.pk, completed_at__isnull=True)
        changed = bool(mine.update(completed_at=Now()))
        self.refresh_from_db(fields=["completed_at"])
        return changed

    @transaction.atomic
    def exclude(self, reason: str, now: datetime, *, rule: str = "") -> bool:
        """Stop counting this rater's judgements; they stay stored. False, and the first reason stands, if they are.

        ``rule`` names the study's rule that decided, for the audit log: a person may write any reason.
        """
        self.excluded_at, self.exclusion_reason = now, reason
        self.full_clean()
        counted = Enrolment.objects.filter(pk=self.pk, excluded_at__isnull=True)
        if not counted.update(excluded_at=now, exclusion_reason=reason):
            self.refresh_from_db(fields=["excluded_at", "exclusion_reason"])
            return False
        audit.note(self, reason, excluded_at=(None, now), **({"exclusion_rule": ("", rule)} if rule else {}))
        return True

    @transaction.atomic
    def restore(self, reason: str = "") -> bool:
        """Count this rater's judgements again; False if nobody excluded them."""
        before = self.exclusion_reason
        excluded = Enrolment.objects.filter(pk=self.pk, excluded_at__isnull=False)
        restored = bool(excluded.update(excluded_at=None, exclusion_reason=""))
        self.excluded_at, self.exclusion_reason = None, ""
        if restored:
            audit.note(self, reason, exclusion_reason=(before, ""))
        return restored

    @transaction.atomic
    def renew_link(self, reason: str = "") -> None:
        """Make another secret part of the link: whoever has the old one, gets in no more. The answers stay theirs."""
        self.token = new_token()
        self.save(update_fields=["token"])
        audit.note(self, reason, token=("[revoked]", "[hidden]"))


class PracticeAnswer(models.Model):
    """A rater's answer to an item to practise on. Kept apart from judgements: nothing ever counts it."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="practice_answers")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="practice_answers")
    attempt = models.PositiveSmallIntegerField(default=1)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    opt_out = models.CharField(max_length=20, blank=True)
    first_present = models.BooleanField(null=True, blank=True)
    second_present = models.BooleanField(null=True, blank=True)
    acceptable = models.BooleanField(help_text=_("Among the known answers when it was given."))
    answered_at = models.DateTimeField()
    feedback_at = models.DateTimeField(null=True, blank=True, help_text=_("When the feedback was read."))

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "item", "attempt"], name="an_attempt_answers_a_practice_item_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.enrolment.rater.pseudonym} practising on {self.item}"
