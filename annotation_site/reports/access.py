"""Who reads the researchers' pages. Which studies they read there is decided by studies/access.py."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from annotation_site.studies.access import is_open

View = Callable[..., HttpResponseBase]


def researchers_only(view: View) -> View:
    """For people with an account, and answers of people in no cache; the demo's reports are open to everyone."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_open() or request.user.is_authenticated:
            return view(request, *args, **kwargs)
        return redirect_to_login(request.get_full_path())

    return require_safe(cache_control(private=True, no_cache=True)(guarded))
