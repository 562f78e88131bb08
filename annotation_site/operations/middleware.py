"""Gives each request an id, and logs it by the pattern of its address, never by the address itself."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from annotation_site.operations import context

logger = logging.getLogger("attest.requests")
# A part of a regular expression, which some libraries write their addresses as.
NAMED = re.compile(r"\(\?P(<\w+>)[^)]*\)")
# Asked every few seconds by machines; their lines would bury the others.
QUIET = frozenset({"livez", "readyz", "metrics"})


class RequestLog:
    """Stands first, so that what any other middleware logs carries the id as well."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = uuid.uuid4().hex
        # Left as they are afterwards: Django logs a refusal when all middleware is done. The next request sets its own.
        context.request_id.set(name)
        context.secrets.set(_headers(request))
        started = time.monotonic()
        response = self.get_response(request)
        response["X-Request-ID"] = name
        _log(request, response, time.monotonic() - started)
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, object]) -> None:
        """What the address names is known now: the secret part of a link is hidden from here on."""
        found = (str(kwargs[name]) for name in ("token", "key") if kwargs.get(name))
        context.secrets.set((*context.secrets.get(), *found))


def _headers(request: HttpRequest) -> tuple[str, ...]:
    query = request.META.get("QUERY_STRING", "")
    credentials = request.headers.get("Authorization", "").rpartition(" ")[2]
    # A short piece is no secret, and replacing it would garble every line.
    return tuple(value for value in (query, credentials) if len(value) >= 8)


def _route(request: HttpRequest, response: HttpResponse) -> str:
    """The address's pattern, with <names> where what was asked for stands."""
    if request.resolver_match:
        return NAMED.sub(r"\1", request.resolver_match.route).strip("^$")
    return "(no such address)" if response.status_code == HTTPStatus.NOT_FOUND else "(no view)"


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    route = _route(request, response)
    if route in QUIET:
        return
    logger.info(
        "%s /%s %d",
        request.method,
        route,
        response.status_code,
        extra={"fields": {"method": request.method, "route": route, "status": response.status_code,
                          "milliseconds": round(seconds * 1000)}},
    )  # fmt: skip
