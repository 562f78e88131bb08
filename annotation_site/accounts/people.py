"""Accounts are made by admins: a name, a role, and a link by which the person sets a password, once."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.urls import reverse

from annotation_site.accounts.roles import RESEARCHERS, Role


@transaction.atomic
def add_user(name: str, role: str, *, email: str = "") -> User:
    """A new account without a password. Raises ValidationError for a name that is taken or no name."""
    admin = role == Role.ADMIN
    user = User(username=name, email=email, is_staff=admin, is_superuser=admin)
    user.set_unusable_password()
    user.full_clean()
    user.save()
    if role == Role.RESEARCHER:
        user.groups.add(Group.objects.get(name=RESEARCHERS))
    return user


def password_path(user: User) -> str:
    """The address, without the site, at which the person sets a password: once, for PASSWORD_RESET_TIMEOUT."""
    key = default_token_generator.make_token(user)
    return reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), key])
