"""Where a study's raters come from: one row for each way in, and the invitations that were handed out."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from string import Formatter
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation_site.studies.models import Study

#: What the address of an end may name; the first is the code, the others are the ids that the rater came with.
PLACEHOLDERS = ("code", "person", "session", "study")
CODE = re.compile(r"[A-Za-z0-9_-]{1,60}")
PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


class Outcome(models.TextChoices):
    """How a rater's part can end; each may have a code and an address of its own."""

    COMPLETE = "complete", _("complete")
    FAILED_CHECKS = "failed-checks", _("failed too many checks")
    NO_CONSENT = "no-consent", _("no consent")
    DEVICE = "device", _("device does not fit")
    SCREENED_OUT = "screened-out", _("did not pass the practice")
    FULL = "full", _("study is full")


def new_code() -> str:
    return secrets.token_hex(4).upper()


class SourceQuerySet(models.QuerySet["Source"]):
    def taking(self) -> Self:
        """Those by which new raters come in."""
        return self.filter(closed_at__isnull=True)


class Source(models.Model):
    """One way into a study: how an arrival says who it is, how it ends, and who pays."""

    class Kind(models.TextChoices):
        OPEN = "open", _("open link")
        INVITATION = "invitation", _("invitation links")
        PARAMETERS = "parameters", _("panel that adds its ids to the link")
        PROLIFIC = "prolific", _("Prolific")

    class PaidBy(models.TextChoices):
        CODE = "code", _("us, against the code")
        PROLIFIC = "prolific", _("us, through Prolific")
        OUTSIDE = "outside", _("the panel itself")
        NONE = "none", _("nobody: unpaid")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="sources", verbose_name=_("study"))
    name = models.SlugField(_("name"), max_length=30, help_text=_("Part of its address: letters, digits and hyphens."))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    paid_by = models.CharField(_("paid by"), max_length=10, choices=PaidBy)
    cap = models.PositiveIntegerField(
        _("cap"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Most raters who may come in this way; empty: no limit."),
    )
    parameters = models.JSONField(
        default=dict, blank=True, help_text=_('Names of the link\'s parameters: {"person": ..., "session": ...}.')
    )
    ends = models.JSONField(default=dict, blank=True, help_text=_("Code and address of each outcome."))
    signed = models.BooleanField(
        _("signed links only"), default=False, help_text=_("Take only arrivals whose ids Prolific has signed.")
    )
    smallest_width = models.PositiveSmallIntegerField(
        _("smallest width"), default=0, help_text=_("Narrower screens are told that they do not fit; 0: any width.")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text=_("Since when nobody new comes in this way."))

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["study_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["study", "name"], name="a_source_has_its_name_once_in_a_study"),
            models.CheckConstraint(condition=Q(cap__isnull=True) | Q(cap__gte=1), name="a_sources_cap_lets_someone_in"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()})"

    def clean(self) -> None:
        """Refuse ends and parameters that could not be shown or read."""
        problems = [*_problems_of_ends(self.ends), *self._problems_of_parameters()]
        if problems:
            raise ValidationError(problems)

    def _problems_of_parameters(self) -> list[str]:
        if self.kind != self.Kind.PARAMETERS:
            return []
        names = self.parameters if isinstance(self.parameters, dict) else {}
        wrong = [str(name) for name in names.values() if not PARAMETER.fullmatch(str(name))]
        problems = [_("“%(name)s” is not the name of a parameter: letters, digits, _ . -") % {"name": n} for n in wrong]
        if not names.get("person"):
            problems.append(str(_("Name the parameter that carries the person's id.")))
        return problems


def _problems_of_ends(ends: Any) -> list[str]:
    if not isinstance(ends, dict) or not set(ends) <= set(Outcome.values):
        return [_("Ends are named by outcome: %(outcomes)s.") % {"outcomes": ", ".join(Outcome.values)}]
    problems: list[str] = []
    for end in ends.values():
        code, address = end.get("code", ""), end.get("address", "")
        if code and not CODE.fullmatch(code):
            problems.append(_("“%(code)s” is no code: letters, digits, _ and -, at most 60.") % {"code": code})
        problems += _problems_of_address(address)
    return problems


def _problems_of_address(address: str) -> list[str]:
    if not address:
        return []
    if not address.startswith("https://") or re.search(r"[\s\"'<>]", address):
        return [_("“%(address)s” is no address to lead people to: it begins with https://") % {"address": address}]
    try:
        named = {name for _text, name, spec, convert in Formatter().parse(address) if name is not None}
        fits = named <= set(PLACEHOLDERS) and address.format(**dict.fromkeys(named, "x"))
    except (ValueError, KeyError, IndexError, AttributeError):
        fits = False
    if fits:
        return []
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    return [_("“%(address)s” may name only %(known)s in braces.") % {"address": address, "known": known}]


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def usable(self, now: datetime) -> Self:
        """Those by which somebody new may still come in."""
        fresh = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
        return self.filter(fresh, revoked_at__isnull=True, enrolment__isnull=True)


class Invitation(models.Model):
    """One link for one person. Only a keyed hash of its secret is kept, so nobody can read the links off the rows."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="invitations")
    secret_hash = models.CharField(max_length=64, unique=True)
    batch = models.CharField(max_length=60, help_text=_("The name under which it was made with others."))
    number = models.PositiveIntegerField(help_text=_("Its number within the batch."))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    enrolment = models.OneToOneField(
        "raters.Enrolment", on_delete=models.PROTECT, related_name="invitation", null=True, blank=True
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["source_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "batch", "number"], name="a_batch_numbers_its_invitations")
        ]

    def __str__(self) -> str:
        return f"invitation {self.number} of {self.batch}"
