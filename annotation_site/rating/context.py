"""In which circumstances an answer was given, as the rater's browser tells: kept beside the answer, never required."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

MOST_VIEWS = 200
LATEST = 2**31 - 1
WHATS = {"view", "opacity", "hide", "show", "enlarge", "shrink"}


def read_context(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields ``views``, ``locale``, ``viewport`` and ``renderer`` of a Judgement, from what a browser sent.

    ``views`` is JSON, ``[[milliseconds since painted, what, value], ...]``, the value only where there is one. What
    makes no sense is left out rather than refused, for no answer may be lost over it.
    """
    return {
        "views": _views(fields.get("views", "")),
        "locale": _matching(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,6})?", fields.get("locale", "")),
        "viewport": _matching(r"\d{1,5}x\d{1,5}@\d{1,2}(\.\d{1,4})?", fields.get("viewport", "")),
        "renderer": _matching(r"[\w .-]{1,40}", fields.get("renderer", "")),
    }


def _matching(pattern: str, text: object) -> str:
    return text if isinstance(text, str) and re.fullmatch(pattern, text, re.ASCII) else ""


def _views(text: object) -> list[list[int | str]]:
    try:
        events = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return []
    return [event for event in events if _is_view(event)][:MOST_VIEWS] if isinstance(events, list) else []


def _is_view(event: object) -> bool:
    if not isinstance(event, list) or not 2 <= len(event) <= 3 or str(event[1]) not in WHATS:
        return False
    value = event[2] if len(event) == 3 else ""
    # Plain letters only: a database refuses some characters, and the answer with them.
    plain = isinstance(value, str) and re.fullmatch(r"[\w .-]{0,20}", value, re.ASCII) is not None
    return _is_moment(event[0]) and (_is_moment(value) or plain)


def _is_moment(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LATEST
