"""Who works on a study: researchers run their own, viewers read them, admins (superusers) do everything."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


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


def is_admin(user: Any) -> bool:
    """Whether this user (also an anonymous one) sees and runs every study."""
    return bool(user.is_active and user.is_superuser)


def may_create(user: Any) -> bool:
    """Whether this user may make studies of their own."""
    return is_admin(user) or bool(user.is_active and user.has_perm("studies.add_study"))
