"""Entity tags: a reader is told that nothing changed, and a writer that something did."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from django.http import HttpResponse
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

# What a proxy (Caddy, httpd) puts at the end of the tag of a reply that it compresses; off If-Match it takes it never.
ENCODED = re.compile(r'-(?:gzip|br|zstd)"$')
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of what you read: the change is refused (412) when somebody else has changed it since.",
)


class Stale(APIException):
    """What is stored is no longer what the caller saw."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "It was changed since you read it: read it again, and send If-Match with the new ETag."


class NotConditional(APIException):
    """A write that does not say what it was made from."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_detail = "Send If-Match with the ETag that reading it gave, so that nobody's change is overwritten unseen."


def tag_of(data: Any) -> str:
    """The entity tag of a reply's data."""
    return _tag(JSONRenderer().render(data))


def require_match(request: Request, data: Any) -> None:
    """Refuse a write to what is not any more (``data``) what the caller saw."""
    wanted = request.headers.get("If-Match")
    if not wanted:
        raise NotConditional
    tags = _without_encoding(wanted)
    if tags != ["*"] and tag_of(data) not in tags:
        raise Stale


def tagged(request: Request, response: Response) -> HttpResponse:
    """A reading's reply with its tag, or 304 when the caller has it already."""
    content = JSONRenderer().render(response.data)
    tag = _tag(content)
    known = [each.removeprefix("W/") for each in _without_encoding(request.headers.get("If-None-Match", ""))]
    if tag in known or known == ["*"]:
        answer = HttpResponse(status=304)
        # A reply without a body has no type.
        del answer["Content-Type"]
    else:
        answer = HttpResponse(content, content_type="application/json")
    for name, value in response.headers.items():
        answer.setdefault(name, value)
    answer["ETag"] = tag
    return answer


def _without_encoding(header: str) -> list[str]:
    """The tags of a header as they left here."""
    return [ENCODED.sub('"', each) for each in parse_etags(header)]


def _tag(content: bytes) -> str:
    return f'"{sha256(content).hexdigest()[:32]}"'
