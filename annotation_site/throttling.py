"""How often somebody may do what costs the site, counted in the cache that its processes share."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.throttling import SimpleRateThrottle


class Throttle(SimpleRateThrottle):
    """At most the setting's rate of ``scope``; a subclass says of whom by ``get_cache_key``."""

    def get_rate(self) -> str:
        # Read at each request, not when the class is made, so that settings decide also in a running test.
        return str(settings.RATES[self.scope])


class _OfOne(Throttle):
    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__()

    def get_cache_key(self, request: Any, view: object) -> str:
        who = f"account/{request.user.pk}" if request.user.is_authenticated else self.get_ident(request)
        return f"throttle/{self.scope}/{who}"


def limited(scope: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A view whose POSTs are throttled: by account where one is signed in, else by address."""

    def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            throttle = _OfOne(scope)
            if request.method != "POST" or throttle.allow_request(request, None):
                return view(request, *args, **kwargs)
            seconds = math.ceil(throttle.wait() or 60)
            refusal = render(request, "429.html", {"minutes": math.ceil(seconds / 60)}, status=429)
            refusal["Retry-After"] = str(seconds)
            return refusal

        return wrapped

    return wrap
