"""Pages that stay right while rows are added: each begins after the last row of the one before it.

A cursor is signed, and belongs to the address and the filters that it was given for. Reading a page costs the same
wherever it lies, and no row is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

USUAL, MOST = 100, 1000
SIGNER = Signer(salt="annotation_site.api.page")


class KeysetPages(BasePagination):
    """``limit`` rows a page in the order of the view's ``order``, an ascending field without ties."""

    next: str | None = None

    def paginate_queryset(
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> Sequence[Any] | None:
        key, size = getattr(view, "order", "pk"), _limit(request)
        rows = queryset.order_by(key)
        after = _after(request)
        if after is not None:
            rows = rows.filter(**{f"{key}__gt": after})
        found = list(rows[: size + 1])
        if len(found) > size:
            self.next = _address(request, getattr(found[size - 1], key))
        return found[:size]

    def get_paginated_response(self, data: Any) -> Response:
        links = {"Link": f'<{self.next}>; rel="next"'} if self.next else {}
        return Response({"next": self.next, "results": data}, headers=links)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {
            "type": "string",
            "format": "uri",
            "nullable": True,
            "description": "The next page; null on the last one. Also in the header Link.",
        }
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": following, "results": schema},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        said = f"Rows of a page, at most {MOST} (without it: {USUAL})."
        size = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
        return [
            {"name": "limit", "in": "query", "required": False, "description": said, "schema": size},
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where a page begins: part of “next”, for the same filters.",
                "schema": {"type": "string"},
            },
        ]


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(USUAL))
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= MOST):
        raise ValidationError({"limit": [f"{text!r} is no number from 1 to {MOST}."]})
    return int(text)


def _after(request: Request) -> Any:
    """The key after which the page begins; None for the first page."""
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        asked, after = SIGNER.unsign_object(text)
    except (BadSignature, ValueError, TypeError) as error:
        raise ValidationError({"cursor": ["This is no cursor of ours: follow “next” as it was given."]}) from error
    if asked != _asked(request):
        raise ValidationError({"cursor": ["It was given for other filters: begin again without a cursor."]})
    return after


def _address(request: Request, after: Any) -> str:
    query = request.query_params.copy()
    query["cursor"] = SIGNER.sign_object([_asked(request), after])
    return str(request.build_absolute_uri(f"{request.path}?{query.urlencode()}"))


def _asked(request: Request) -> str:
    """What the rows depend on: the address and the filters."""
    filters = sorted((name, values) for name, values in request.query_params.lists() if name not in ("cursor", "limit"))
    return sha256(repr((request.path, filters)).encode()).hexdigest()[:16]
