"""Answers that carry a stimulus: tagged by what they show, kept for good where the address says which version."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from django.utils.translation import gettext as _

from annotation_site.stimuli.addresses import version
from annotation_site.stimuli.links import seconds_left
from annotation_site.storage import StorageUnusable

logger = logging.getLogger(__name__)

YEAR = 31_536_000
AGAIN_SECONDS = 10
REPAIR = "Restore it from a backup, or let manage.py check_files --requeue have it drawn again."


def closed(request: HttpRequest, *, public: Callable[[], bool]) -> HttpResponse | None:
    """403 where a stimulus is neither public nor asked for by a link that still lasts."""
    if seconds_left(request) or public():
        return None
    return plain(_("This picture is private, and its link has ended. Load the page that shows it again."), 403)


def unchanged(request: HttpRequest, tag: str) -> HttpResponse | None:
    """304 where the browser has this very file already."""
    response = get_conditional_response(request, etag=quote_etag(tag))
    return None if response is None else _cacheable(request, response, tag)


def stimulus(request: HttpRequest, content: bytes, tag: str, content_type: str = "image/png") -> HttpResponse:
    return _cacheable(request, HttpResponse(content, content_type=content_type), tag)


def unreadable(name: str, error: Exception) -> HttpResponse:
    """The page around the picture goes on working; the log and this answer name the file, which is served to nobody."""
    logger.error("stimulus file %s cannot be read: %s", name, error)
    if isinstance(error, StorageUnusable):
        return unavailable()
    return plain(f"The file {name} is missing or damaged; the log says why. {REPAIR}", 404)


def unavailable() -> HttpResponse:
    """503: the storage is away for now. What it is and what to do is for the log."""
    response = plain(_("Pictures cannot be reached at the moment. No answer is lost: try again in a minute."), 503)
    response["Retry-After"] = str(AGAIN_SECONDS)
    return response


def unknown_choice(request: HttpRequest, known: dict[str, tuple[str, ...]]) -> HttpResponse | None:
    """400 where a field of the query is none of the known choices, which it names; the first is the default."""
    for name, values in known.items():
        value = request.GET.get(name, values[0])
        if value not in values:
            return plain(f"{name}={value!r} is not known: choose from {', '.join(values)}.", 400)
    return None


def plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


def _cacheable(request: HttpRequest, response: HttpResponse, tag: str) -> HttpResponse:
    response["ETag"] = quote_etag(tag)
    response["X-Content-Type-Options"] = "nosniff"
    lasts = seconds_left(request)
    if lasts:
        patch_cache_control(response, private=True, max_age=lasts, immutable=True)
    elif request.GET.get("v") == version(tag):
        patch_cache_control(response, public=True, max_age=YEAR, immutable=True)
    else:
        patch_cache_control(response, public=True, no_cache=True)
    return response
