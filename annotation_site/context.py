"""What every template may ask."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, bool]:
    """``is_demo``: the site runs for a trial, and its reports are open to everyone."""
    return {"is_demo": not settings.PRODUCTION}
