"""A POST under an Idempotency-Key is carried out once: sent again it gets the first reply."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from annotation_site.api.models import Reply
from annotation_site.api.problems import Conflict
from annotation_site.encryption import decrypt, encrypt
from annotation_site.rating.assignment import database_now

KEPT = timedelta(days=1)
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "format": "uuid"},
    OpenApiParameter.HEADER,
    required=True,
    description="A UUID of your own for this request. Sent again with the same body it gets the first reply.",
)


def key_of(request: Request) -> uuid.UUID:
    text = request.headers.get("Idempotency-Key", "")
    try:
        return uuid.UUID(text)
    except ValueError as error:
        message = f"{text!r} is not a UUID: make one for each request, and send it again with each repeat."
        raise ValidationError({"Idempotency-Key": [message]}) from error


def once(request: Request, make: Callable[[], tuple[int, dict[str, Any]]]) -> Response:
    """The reply (status and body) that ``make`` gives, or gave to this key within a day.

    The key's row and all that ``make`` writes are one transaction: an error leaves neither, and of two copies that
    come at once the database lets one in.
    """
    key, asked, now = key_of(request), _digest(request), database_now()
    mine = Reply.objects.filter(user=request.user)
    mine.filter(created_at__lt=now - KEPT).delete()
    known = mine.filter(key=key).first()
    if known is None:
        try:
            return _made(request, key, asked, make)
        except IntegrityError:
            known = mine.filter(key=key).first()
            if known is None:
                raise
    if known.request != asked:
        raise Conflict(f"The key {key} was used for another request: make a new one for each.")
    return Response(json.loads(decrypt(known.body)), status=known.status)


@transaction.atomic
def _made(request: Request, key: uuid.UUID, asked: str, make: Callable[[], tuple[int, dict[str, Any]]]) -> Response:
    row = Reply.objects.create(user=request.user, key=key, request=asked, created_at=database_now())
    row.status, body = make()
    response = Response(body, status=row.status)
    row.body = encrypt(JSONRenderer().render(body).decode())
    row.save(update_fields=["status", "body"])
    return response


def _digest(request: Request) -> str:
    said = json.dumps([request.method, request.path, request.data], sort_keys=True, default=str)
    return sha256(said.encode()).hexdigest()
