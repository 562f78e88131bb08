"""API tokens of researchers: made, found by their hash, and held to their scopes.

A view of the researchers' API says ``authentication_classes = [ApiTokenAuthentication]`` and
``permission_classes = [HasScope("read:reports")]``; ``request.user`` is then the account, whose studies
``study_to_read`` and ``study_to_run`` go on to decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from knox.auth import TokenAuthentication
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from annotation_site.accounts.models import ApiToken
from annotation_site.accounts.roles import lacks_second_factor

PREFIX = "attest_"
TOKEN = re.compile(rf"{PREFIX}[0-9a-f]{{64}}")
SCOPES = {
    "read:studies": gettext_lazy("read your studies, their items and images"),
    "read:reports": gettext_lazy("read reports and analyses"),
    "read:judgements": gettext_lazy("read judgements and enrolments, one by one"),
    "write:studies": gettext_lazy("make, change, open and close studies"),
    "rater": gettext_lazy("enrol raters and rate in their name"),
}
# What an account that runs no study of its own may ask for.
READING = tuple(scope for scope in SCOPES if scope.startswith("read:"))


def make_token(user: User, name: str, scopes: Iterable[str], lifetime: timedelta) -> str:
    """A new token; the text returned is nowhere stored."""
    chosen = [scope for scope in SCOPES if scope in set(scopes)]
    return str(ApiToken.objects.create(user, expiry=lifetime, prefix=PREFIX, name=name, scopes=chosen)[1])


class ApiTokenAuthentication(TokenAuthentication):
    """``Authorization: Bearer attest_...``; ``request.auth`` is then the ApiToken. Other bearers are left to others."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not text.startswith(PREFIX):
            return None
        if not TOKEN.fullmatch(text):
            raise AuthenticationFailed(_("This is no whole token: copy all of it."))
        found: tuple[User, ApiToken] = self.authenticate_credentials(text.encode())
        return found

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        try:
            user, found = super().authenticate_credentials(token)
        except AuthenticationFailed as error:
            message = _("This token ran out or was revoked: make another on your account's page.")
            raise AuthenticationFailed(message) from error
        if lacks_second_factor(user):
            raise AuthenticationFailed(_("Set up the second factor of your account first: it is required here."))
        return user, found

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class HasScope(BasePermission):
    """``permission_classes = [HasScope("read:reports")]``: tokens with this scope, and nothing else."""

    def __init__(self, scope: str) -> None:
        if scope not in SCOPES:
            raise ValueError(f"There is no scope {scope!r}: choose from {', '.join(SCOPES)}.")
        self.scope = scope

    def __call__(self) -> HasScope:
        # Where a class is asked to make the permission, the permission is there already.
        return self

    @property
    def message(self) -> str:
        return _("This needs an API token with the scope “%(scope)s”.") % {"scope": self.scope}

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, ApiToken) and self.scope in request.auth.scopes
