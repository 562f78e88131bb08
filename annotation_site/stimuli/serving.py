"""Answers that carry a stimulus: tagged by what they show, kept for good where the address says which version."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag

from annotation_site.stimuli.addresses import version

logger = logging.getLogger(__name__)

YEAR = 31_536_000


def unchanged(request: HttpRequest, tag: str) -> HttpResponse | None:
    """304 where the browser has this very file already."""
    response = get_conditional_response(request, etag=quote_etag(tag))
    return None if response is None else _cacheable(request, response, tag)


def stimulus(request: HttpRequest, content: bytes, tag: str, content_type: str = "image/png") -> HttpResponse:
    return _cacheable(request, HttpResponse(content, content_type=content_type), tag)


def unreadable(name: str, error: Exception) -> HttpResponse:
    """The page around the picture goes on working; the log and this answer name the file."""
    logger.error("stimulus file %s cannot be read: %s", name, error)
    return plain(f"The file {name} cannot be read; the log says why. Restore it from a backup.", 500)


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
    if request.GET.get("v") == version(tag):
        patch_cache_control(response, public=True, max_age=YEAR, immutable=True)
    else:
        patch_cache_control(response, public=True, no_cache=True)
    return response
