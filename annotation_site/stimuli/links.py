"""Names that nobody can guess, and links that end."""

from __future__ import annotations

import re
import time

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import urlencode

PAGE_MINUTES = 60
"""How long the links of a researcher's page last, at least."""


def keyed(use: str, value: str) -> str:
    """A hash of ``value`` for one ``use``, 32 hexadecimal digits, that needs NAMES_KEY to be made."""
    return salted_hmac(f"attest.{use}", value, secret=settings.NAMES_KEY, algorithm="sha256").hexdigest()[:32]


def link(path: str, query: dict[str, str], minutes: int | None) -> str:
    """An address with its query; signed, where ``minutes`` are given, to last from once to twice as long.

    All links made in one stretch of ``minutes`` end together and so are equal: a browser's cache is of use.
    """
    if minutes is None:
        return f"{path}?{urlencode(query)}"
    until = str((int(time.time()) // (minutes * 60) + 2) * minutes * 60)
    return f"{path}?{urlencode({**query, 'until': until, 'key': _signature(path, until)})}"


def seconds_left(request: HttpRequest) -> int:
    """How long the link by which this request came still lasts; 0 where it has ended, or is none of ours."""
    until, key = request.GET.get("until", ""), request.GET.get("key", "")
    if not re.fullmatch(r"[0-9]{1,12}", until) or not constant_time_compare(key, _signature(request.path, until)):
        return 0
    return max(0, int(until) - int(time.time()))


def _signature(path: str, until: str) -> str:
    return keyed("link", f"{until}:{path}")
