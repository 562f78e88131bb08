"""How long an answer takes: the number that raters are told their time by is the one that researchers plan with."""

from __future__ import annotations

import statistics
from typing import Any

from django.core.cache import cache

from annotation_site.raters.models import Enrolment

# Where nobody has answered yet: about what the shipped demo's answers take.
USUAL_SECONDS = 12.0
RECENT = 1000
# Every visit of a study's page asks, and the median of so many answers moves slowly.
KEPT_SECONDS = 600


def seconds_an_answer(kind: str) -> float:
    """As measured here, or else as usual."""
    return measured_seconds(kind) or USUAL_SECONDS


def measured_seconds(kind: str) -> float:
    """The median time of people's last answers to this kind of question, as of late; 0 where there are none."""
    return float(cache.get_or_set(f"raters/seconds/{kind}", lambda: _median(kind), KEPT_SECONDS) or 0)


def _median(kind: str) -> float:
    answers = Enrolment.objects.people().filter(
        study__kind=kind, judgements__current=True, judgements__browser_milliseconds__isnull=False
    )
    newest: list[Any] = list(
        answers.order_by("-judgements__pk").values_list("judgements__browser_milliseconds", flat=True)[:RECENT]
    )
    return round(statistics.median(map(float, newest)) / 1000, 1) if newest else 0.0
