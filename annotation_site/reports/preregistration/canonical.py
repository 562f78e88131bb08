"""Canonical JSON: one text for one content, whatever database, process or platform wrote it down.

Keys are sorted by code point, nothing is indented, the text is UTF-8. Whole numbers are written as such and all others
as decimal text ("0.18"), so that no reader's floats can change a digit; a database may give 2.0 back as 2.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise


def canonical(content: Any) -> str:
    """The text of a content of plain values, times and translated words."""
    return json.dumps(plain(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    """What ``sha256sum`` says of a file that holds this text."""
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """The value as JSON holds it without loss; raises TypeError or ValueError for what it cannot hold."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str | Promise):
        return str(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    raise TypeError(f"{value!r} is a {type(value).__name__}: write it as text, a number, a list or a mapping.")


def number(value: float) -> int | str:
    """A whole number, or the shortest decimal text that is this float."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number that can be written down: give a finite one.")
    return int(value) if value.is_integer() else format(Decimal(repr(value)), "f")
