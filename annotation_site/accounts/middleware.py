"""Sends admins and researchers without a second factor to where they set one up, where the site requires one."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotation_site.accounts.roles import lacks_second_factor

# Where an account gives no rights: signing in itself, the link that ends alerts, and what raters see, whose answers
# must not be lost.
FREE = ("accounts/", "alerts/mute/", "rate/", "privacy/", "language/", "stimuli/", "livez", "readyz")


class SecondFactor:
    """Stands behind the authentication: everything but FREE is closed until the second factor is there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.route.startswith(FREE) or not request.user.is_authenticated:
            return None
        return redirect("mfa_activate_totp") if lacks_second_factor(request.user) else None
