"""People who rate, and their part in one study."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Self

from django.db import models

from annotation_site.studies.models import Study


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
    source = models.CharField(max_length=30, default="open link")
    locale = models.CharField(max_length=10, blank=True)
    consent_version = models.CharField(max_length=20, blank=True)
    consented_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    excluded_at = models.DateTimeField(null=True, blank=True)
    exclusion_reason = models.TextField(blank=True)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["rater", "study"], name="a_rater_enrols_once_in_a_study"),
            models.CheckConstraint(
                condition=models.Q(excluded_at__isnull=True) | ~models.Q(exclusion_reason=""),
                name="an_exclusion_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rater.pseudonym} in {self.study.slug}"

    def exclude(self, reason: str, now: datetime) -> None:
        """Stop counting this rater's judgements; they stay stored."""
        self.excluded_at, self.exclusion_reason = now, reason
        self.full_clean()
        self.save(update_fields=["excluded_at", "exclusion_reason"])

    def restore(self) -> None:
        self.excluded_at, self.exclusion_reason = None, ""
        self.save(update_fields=["excluded_at", "exclusion_reason"])
