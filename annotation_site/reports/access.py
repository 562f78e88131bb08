"""Who may read reports."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

View = Callable[..., HttpResponse]


def researchers_only(view: View) -> View:
    """Staff only, and answers of people in no cache; the demo's reports are open, so that a first user sees them."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_open() or (request.user.is_authenticated and request.user.is_staff):
            return view(request, *args, **kwargs)
        if request.user.is_authenticated:
            raise PermissionDenied("Reports are for staff: ask an administrator to make your account staff.")
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))

    return require_safe(cache_control(private=True, no_cache=True)(guarded))


def is_open() -> bool:
    return settings.ATTEST_ENV == "demo"
