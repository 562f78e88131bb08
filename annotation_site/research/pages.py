"""What every page of this app begins with: somebody signed in, and nothing of theirs in a shared cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from annotation_site.studies.members import may_create

View = Callable[..., HttpResponse]


def page(*methods: str) -> Callable[[View], View]:
    """For people with an account, by these methods."""

    def wrap(view: View) -> View:
        allowed = [*methods, "HEAD"] if "GET" in methods else [*methods]
        return require_http_methods(allowed)(cache_control(private=True, no_cache=True)(login_required(view)))

    return wrap


def require_creator(request: HttpRequest) -> None:
    """Raise PermissionDenied for those who may read studies and make none."""
    if not may_create(request.user):
        raise PermissionDenied(_("Your account may not make studies: ask an administrator for that right."))


def address(name: str, *arguments: Any) -> str:
    """Where a page is; empty where this site does not have it."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""
