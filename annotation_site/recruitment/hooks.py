"""Prolific's events: who sent them, how old they are, and that each has its effect once."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction

from annotation_site.recruitment.models import ProlificStudy, WebhookEvent
from annotation_site.recruitment.submissions import told

OLDEST = timedelta(minutes=5)
SUBSCRIBED = ("submission.status.change", "study.status.change")


class BadEvent(Exception):
    """Not Prolific's, too old, or unreadable; ``status`` is the answer to it."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Prolific's signature: base64 of HMAC-SHA256 over the time and the body."""
    return base64.b64encode(hmac.new(secret.encode(), timestamp.encode() + body, sha256).digest()).decode()


def read(headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> dict[str, Any]:
    """The event, once it is known to be Prolific's and fresh. Raises BadEvent."""
    timestamp, signature = (
        headers.get("X-Prolific-Request-Timestamp", ""),
        headers.get("X-Prolific-Request-Signature", ""),
    )
    if not hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode()):
        raise BadEvent("The signature is not that of our secret.", 401)
    sent = _time(timestamp)
    if sent is None or abs(now - sent) > OLDEST:
        raise BadEvent("The event was signed more than five minutes ago: a replay, or a clock that is wrong.", 401)
    try:
        event = json.loads(body)
    except ValueError as error:
        raise BadEvent("The event is no JSON.") from error
    if not isinstance(event, dict):
        raise BadEvent("The event is no object.")
    return event


def _time(text: str) -> datetime | None:
    """A moment in seconds since 1970, or None."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def handle(headers: Mapping[str, str], event: dict[str, Any], *, now: datetime) -> bool:
    """Let an event have its effect; False for one that had it already. A failure undoes both, and it may come again."""
    signature = headers["X-Prolific-Request-Signature"]
    sent = _time(headers.get("X-Timestamp", "")) or _time(headers["X-Prolific-Request-Timestamp"]) or now
    kind = str(event.get("event_type", ""))[:60]
    row = WebhookEvent(
        event_id=headers.get("X-Event-ID", "")[:80] or signature[:80],
        signature=signature[:80],
        event_type=kind,
        sent_at=sent,
        handled_at=now,
    )
    with transaction.atomic():
        if not _is_new(row):
            return False
        _effect(kind, event, min(sent, now))
    return True


def _is_new(row: WebhookEvent) -> bool:
    """Whether the event is stored now for the first time; apart from its effect, whose own failures must be heard."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _effect(kind: str, event: dict[str, Any], at: datetime) -> None:
    number, status = str(event.get("resource_id", "")), str(event.get("status", ""))
    if kind == "submission.status.change":
        told(number, status, at=at)
    elif kind == "study.status.change":
        older = ProlificStudy.objects.filter(prolific_id=number).exclude(prolific_id="").exclude(status_at__gte=at)
        older.update(status=status.upper().replace("_", " ")[:20], status_at=at)
