"""Log lines that name the request or the task and carry no rater's link, token or query string."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

from annotation_site.operations import context

HIDDEN = "[hidden]"
# The secret part of a rater's link, of an invitation, and of a link that mutes alerts or sets a password, whatever
# stands around it and wherever it leads; and what follows an address's question mark. "i/o" is no invitation.
SECRET_LINK = re.compile(r"(?i)(\brate/+|\bi/+(?=[\w-]{8})|\balerts/+mute/+|\bpassword/+key/+)[^/\s?\"'<>(]+")
QUERY = re.compile(r"(/[^\s?\"'<>]*)\?[^\s\"'<>]+")
BEARER = re.compile(r"(?i)(\bbearer\s+)[^\s\"',]+")


def hide(text: str) -> str:
    """``text`` without the secrets of the current request and whatever looks like one of another."""
    for secret in context.secrets.get():
        text = text.replace(secret, HIDDEN)
    text = SECRET_LINK.sub(rf"\1{HIDDEN}", text)
    text = QUERY.sub(rf"\1?{HIDDEN}", text)
    return BEARER.sub(rf"\1{HIDDEN}", text)


class PlainLines(logging.Formatter):
    """Lines for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return hide(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message, and where known request, task, exception.

    What a caller passes as ``extra={"fields": {...}}`` stands beside them.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": hide(record.getMessage()),
        }
        for name, value in (("request", context.request_id.get()), ("task", context.task_id.get())):
            if value:
                line[name] = value
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = hide(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)
