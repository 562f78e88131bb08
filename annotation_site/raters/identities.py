"""The ids and addresses by which raters are paid: encrypted, apart from their answers, forgotten once paid."""

from __future__ import annotations

from collections.abc import Callable

from django.db import models

from annotation_site.encryption import decrypt, encrypt
from annotation_site.raters.models import Enrolment


class Identity(models.Model):
    """One id of a rater in a study, readable only with the site's key."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=30)
    encrypted = models.TextField()

    class Meta:
        app_label = "raters"
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "kind"], name="an_enrolment_has_one_identity_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.enrolment}"


_settled: list[Callable[[Enrolment], bool]] = []


def unwanted_where(settled: Callable[[Enrolment], bool]) -> None:
    """Let no ids be kept of whom ``settled`` says that they were paid; done once, when the application starts."""
    _settled.append(settled)


def wanted(enrolment: Enrolment) -> bool:
    """Whether the ids of somebody who comes (again) are to be kept."""
    return not any(settled(enrolment) for settled in _settled)


def store(enrolment: Enrolment, kind: str, value: str) -> None:
    Identity.objects.update_or_create(enrolment=enrolment, kind=kind, defaults={"encrypted": encrypt(value)})


def reveal(enrolment: Enrolment, kind: str) -> str | None:
    row = Identity.objects.filter(enrolment=enrolment, kind=kind).first()
    return decrypt(row.encrypted) if row else None


def forget(enrolment: Enrolment, kind: str | None = None) -> int:
    rows = Identity.objects.filter(enrolment=enrolment)
    return (rows if kind is None else rows.filter(kind=kind)).delete()[0]
