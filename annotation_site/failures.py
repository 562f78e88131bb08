"""What is answered when a request breaks off: 503 while the database is away or too busy, else 500."""

from __future__ import annotations

import sys
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers

from annotation_site.api.problems import MEDIA_TYPE

AGAIN_SECONDS = 5
AWAY = "The database cannot be reached. Nothing that was acknowledged is lost: send the same request again."
BROKEN = "The server failed; its log says why. The same request sent twice is stored once."


def failed(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``, called while the error is being handled, wherever in the site it arose.

    A lost connection, a server that starts, a deadlock and a lock that is not had in time are all for now only.
    """
    away = isinstance(sys.exception(), OperationalError | InterfaceError)
    status = HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.INTERNAL_SERVER_ERROR
    if request.path.startswith("/api/"):
        response: HttpResponse = _problem(status, AWAY if away else BROKEN)
    else:
        # Without the request: who is signed in is for the database to say.
        response = HttpResponse(render_to_string(f"{status.value}.html"), status=status)
    if away:
        response["Retry-After"] = str(AGAIN_SECONDS)
    add_never_cache_headers(response)
    return response


def _problem(status: HTTPStatus, detail: str) -> HttpResponse:
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)
