"""What an account may do at all; which studies it may do it to is said by its parts in them (studies/members.py).

An admin is a superuser and does everything. A researcher is in the group ``researchers``, which may make studies. A
viewer is an account without either.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

RESEARCHERS = "researchers"
CREATE = "studies.add_study"


class Role(models.TextChoices):
    ADMIN = "admin", _("admin")
    RESEARCHER = "researcher", _("researcher")
    VIEWER = "viewer", _("viewer")


def is_admin(user: Any) -> bool:
    """Whether this user (also an anonymous one) sees and runs every study."""
    return bool(user.is_active and user.is_superuser)


def may_create(user: Any) -> bool:
    """Whether this user may make studies of their own."""
    return is_admin(user) or bool(user.is_active and user.has_perm(CREATE))


def role_of(user: Any) -> Role:
    if is_admin(user):
        return Role.ADMIN
    return Role.RESEARCHER if may_create(user) or _runs_a_study(user) else Role.VIEWER


def lacks_second_factor(user: Any) -> bool:
    """Whether the site asks this user for a second factor that they have not set up: viewers only read."""
    if not settings.SECOND_FACTOR_REQUIRED or is_mfa_enabled(user):
        return False
    return role_of(user) is not Role.VIEWER


def _runs_a_study(user: Any) -> bool:
    # By the name of the relation: this package stands below the studies.
    return bool(user.studies.filter(role=Role.RESEARCHER).exists())
