"""The demo's researcher: an account without a password, for a trial on one's own machine alone."""

from __future__ import annotations

from django.contrib.auth.models import Group, User

from annotation_site.accounts.roles import RESEARCHERS

RESEARCHER = "demo-researcher"


def demo_researcher() -> User:
    """The account, made where it is not there. Nobody can sign in to it by a password."""
    user, new = User.objects.get_or_create(username=RESEARCHER)
    if new:
        user.set_unusable_password()
        user.save()
        user.groups.add(Group.objects.get(name=RESEARCHERS))
    return user
