"""Who works on a study: researchers run their own, viewers read them, admins (superusers) do everything."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotation_site import audit
from annotation_site.accounts.roles import is_admin, may_create

__all__ = ["Member", "add_member", "is_admin", "may_create", "remove_member"]


class Member(models.Model):
    """A user's part in a study. Admins need none: they see and run every study."""

    class Role(models.TextChoices):
        RESEARCHER = "researcher", _("researcher: runs the study")
        VIEWER = "viewer", _("viewer: reads its reports")

    study = models.ForeignKey("studies.Study", on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="studies")
    role = models.CharField(max_length=12, choices=Role, default=Role.RESEARCHER)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study_id", "id"]
        constraints = [models.UniqueConstraint(fields=["study", "user"], name="a_user_has_one_part_in_a_study")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.study}"


def add_member(study: Any, name: str, role: str) -> Member:
    """Give the user of this name, or with this e-mail address, a part in a study, or another part than they had.

    Raises ValidationError when there is no such account, or when the study would be left without a researcher.
    """
    user = _user(name.strip())
    with transaction.atomic():
        _lock(study)
        before = Member.objects.filter(study=study, user=user).first()
        member, _new = Member.objects.update_or_create(study=study, user=user, defaults={"role": role})
        _require_researcher(study)
        if before is None or before.role != role:
            _note(study, user, before.role if before else "", role)
    return member


def remove_member(study: Any, pk: int) -> bool:
    """Take a part in a study away; False when it was gone already. Raises ValidationError for the last researcher."""
    with transaction.atomic():
        _lock(study)
        gone = Member.objects.filter(study=study, pk=pk).select_related("user").first()
        if gone is None:
            return False
        gone.delete()
        _require_researcher(study)
        _note(study, gone.user, gone.role, "")
    return True


def _note(study: Any, user: Any, before: str, after: str) -> None:
    """In the history of the study, which outlives its members: who had which part, and has which now."""
    audit.note(study, "", **{f"member {user.get_username()}": (before, after)})


def _user(name: str) -> Any:
    users = get_user_model().objects.filter(is_active=True)
    found = users.filter(username=name).first()
    by_address = list(users.filter(email__iexact=name)[:2]) if name and found is None else []
    if found is None and len(by_address) == 1:
        found = by_address[0]
    if found is None:
        raise ValidationError(
            gettext("No account is called “%(name)s”: ask an administrator to make one.") % {"name": name}
        )
    return found


def _lock(study: Any) -> None:
    """Of two researchers who remove each other at once, the second sees what the first has done."""
    list(type(study).objects.select_for_update().filter(pk=study.pk).values_list("pk"))


def _require_researcher(study: Any) -> None:
    if not Member.objects.filter(study=study, role=Member.Role.RESEARCHER).exists():
        raise ValidationError(gettext("A study keeps at least one researcher: add another one first."))
