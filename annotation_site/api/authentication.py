"""Who asks: the bearer token is the secret part of the rater's own link, so both open the same place."""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from annotation_site.raters.models import Enrolment


class BearerToken(BaseAuthentication):
    """``Authorization: Bearer TOKEN``; ``request.auth`` is then the rater's enrolment, with its study and rater."""

    def authenticate(self, request: Request) -> tuple[None, Enrolment] | None:
        scheme, _space, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        known = token.isascii() and Enrolment.objects.filter(token=token).select_related("study", "rater").first()
        if not known:
            raise AuthenticationFailed(
                _("This token is not one of ours: check that all of it was copied, or enrol again.")
            )
        return None, known

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IsEnrolled(BasePermission):
    """Only raters in a study."""

    message = _("Send the header “Authorization: Bearer TOKEN”, with the token that enrolling gave.")

    def has_permission(self, request: Request, view: object) -> bool:
        return isinstance(request.auth, Enrolment)


class BearerScheme(OpenApiAuthenticationExtension):
    """How the schema describes it."""

    target_class = BearerToken
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "The token that enrolling gave."}
