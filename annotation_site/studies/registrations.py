"""What a study was to be, written down before its data: rows that only grow.

A registration is the text that was hashed, byte for byte. Triggers of the database refuse to change or delete one.
"""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import ExpressionWrapper, Q
from django.utils.translation import gettext_lazy as _


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def standing(self, study: models.Model) -> Registration | None:
        """The one that counts: the first made before any judgement; without such a one, the first of all."""
        late = ExpressionWrapper(Q(judgements__gt=0), output_field=models.BooleanField())
        return self.of(study).order_by(late, "number").first()

    def of(self, study: models.Model) -> Self:
        return self.filter(study=study.pk)


class Registration(models.Model):
    """One version of a study's preregistration. ``document`` is canonical JSON, ``sha256`` the hash of its UTF-8."""

    study = models.ForeignKey("studies.Study", on_delete=models.PROTECT, related_name="registrations")
    number = models.PositiveIntegerField()
    document = models.TextField()
    sha256 = models.CharField(max_length=64)
    registered_at = models.DateTimeField()
    registered_by = models.CharField(max_length=150, blank=True)
    judgements = models.PositiveIntegerField(help_text=_("Answers of people that the study had by then."))

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        ordering = ["study_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="registrations_of_a_study_are_numbered"),
            models.CheckConstraint(condition=Q(number__gte=1), name="registrations_are_numbered_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.study}: registration {self.number}"
