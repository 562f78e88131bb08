"""Who works on a study: researchers run their own, viewers read them, admins (superusers) do everything."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation_site.accounts.roles import is_admin, may_create

__all__ = ["Member", "is_admin", "may_create"]


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
