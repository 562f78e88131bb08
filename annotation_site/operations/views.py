"""Addresses for machines: is the process alive, can it serve, and how much it serves."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation_site.accounts.roles import is_admin
from annotation_site.operations import health, metrics
from annotation_site.rating.assignment import database_now


@require_safe
@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all; a supervisor restarts it when it does not."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the site can serve, else 503 with the parts that cannot; a balancer then asks another process."""
    failing = health.failures()
    parts = {name: failing.get(name, "ok") for name in health.PARTS}
    status = {"status": "not ready" if failing else "ready", "parts": parts}
    return JsonResponse(status, status=503 if failing else 200)


@require_safe
@never_cache
def numbers(request: HttpRequest) -> HttpResponse:
    """Prometheus' metrics for admins, and for who sends ``Authorization: Bearer METRICS_TOKEN``."""
    if not _may_read(request):
        message = "Metrics are for admins, and for programs that send METRICS_TOKEN as a bearer token."
        return HttpResponse(message, status=403, content_type="text/plain; charset=utf-8")
    return HttpResponse(metrics.text(metrics.measured(now=database_now())), content_type=metrics.CONTENT_TYPE)


def _may_read(request: HttpRequest) -> bool:
    if is_admin(request.user):
        return True
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and settings.METRICS_TOKEN:
        return constant_time_compare(token, settings.METRICS_TOKEN)
    return not settings.PRODUCTION and not settings.METRICS_TOKEN
