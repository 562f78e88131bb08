"""Amounts and their reasons on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation_site.payments.earning import HOUR, MINUTE, Part
from annotation_site.payments.money import spoken
from annotation_site.payments.promise import Promised, promised
from annotation_site.raters.models import Source
from annotation_site.studies.models import Study

register = template.Library()
WAYS = {
    "code": gettext_lazy("our finance office"),
    "outside": gettext_lazy("the panel, by its code"),
    "prolific": "Prolific",
    "none": gettext_lazy("nobody: unpaid"),
}
PARTS = {
    "base": gettext_lazy("for taking part"),
    "per_item": gettext_lazy("answers, %(number)s"),
    "per_minute": gettext_lazy("%(number)s of time"),
    "least": gettext_lazy("up to the least"),
    "most": gettext_lazy("down to the most"),
    "bonus_complete": gettext_lazy("bonus for the end"),
    "bonus_checks": gettext_lazy("bonus for %(number)s checks passed"),
    "screen_out": gettext_lazy("after the practice"),
}


@register.filter
def money(amount: int | None, currency: str) -> str:
    return "\N{EN DASH}" if amount is None else spoken(amount, currency)


@register.filter
def why(part: Part | Mapping[str, Any], currency: str) -> str:
    """“answers, 40: 4.00 USD”."""
    given = part.as_dict() if isinstance(part, Part) else part
    number = duration(given["number"]) if given["what"] == "per_minute" else given["number"]
    return f"{PARTS[given['what']] % {'number': number}}: {spoken(given['amount'], currency)}"


@register.filter
def duration(milliseconds: int) -> str:
    """“1 h 05 min”, “4 min 10 s”."""
    if milliseconds >= HOUR:
        return _("%(hours)d h %(minutes)02d min") % {
            "hours": milliseconds // HOUR,
            "minutes": milliseconds % HOUR // MINUTE,
        }
    return _("%(minutes)d min %(seconds)02d s") % {
        "minutes": milliseconds // MINUTE,
        "seconds": milliseconds % MINUTE // 1000,
    }


@register.simple_tag
def promise(study: Study, source: Source | None, answers: int, minutes: int) -> Promised:
    """What the page where people agree says of pay."""
    return promised(study, source or None, answers=answers, minutes=minutes)


@register.filter
def payer(way: str) -> str:
    """Who pays, in words."""
    return str(WAYS.get(way, way))
