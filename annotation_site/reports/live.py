"""Where a study stands while it runs: places by group, pace and forecast, and the items to look at."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Count, F

from annotation_site.rating.seats import Seats, in_use
from annotation_site.reports.data import CHANGES, NO_GROUP, TOO_POOR, Column, StudyData
from annotation_site.reports.loading import group_field
from annotation_site.reports.outcomes import RATINGS, Outcomes
from annotation_site.reports.stored import microseconds
from annotation_site.studies.models import Study

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
PROBLEMS = 8
GIVEN = {"likert": ("1", "2", "3", "4", "5"), "presence": ("both", "first", "second", "neither"), "change": CHANGES}


@dataclass(frozen=True)
class Pace:
    """Answers in the last hour and day, a rate, and when the last place would be answered at that rate.

    ``an_hour`` is over the last day, or since the first answer where that is less (at least an hour). ``finish`` is
    None where nothing is left, or nobody has answered within a day.
    """

    last_hour: int
    last_day: int
    an_hour: float
    finish: datetime | None


@dataclass(frozen=True)
class Problem:
    """An item to look at: its position, group, what it asks about, and why it is here."""

    position: int
    group: str
    pair: str
    why: str


def seats_by_group(study: Study) -> list[tuple[str, Seats]]:
    """Places of items in use by state, tag by tag (or condition), in alphabetical order."""
    by_group = in_use(study).order_by().values(group=F(f"item__{group_field(study)}"))
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for group, state, number in by_group.values_list("group", "state", Count("pk")):
        found[group or NO_GROUP][state] = number
    return [(group, Seats.of(found[group])) for group in sorted(found)]


def summary(study: Study, places: Seats) -> str:
    """Where the study stands, in one line that a screen reader reads out whenever it changes."""
    if not places.total:
        return "No places yet."
    ended = " The study is closed." if study.state == Study.State.CLOSED else ""
    return f"{places.done} of {places.total} places answered.{ended}"


def pace(data: StudyData, left: int, now: datetime) -> Pace:
    """How fast answers take places, and the forecast of the end."""
    at, moment = data.judgements.at[data.seated], microseconds(now)
    hour, day = (int(np.count_nonzero(at > moment - microseconds_of(span))) for span in (HOUR, DAY))
    if not day:
        return Pace(hour, day, 0.0, None)
    running = min(DAY, max(HOUR, timedelta(microseconds=moment - int(at.min()))))
    an_hour = day / (running / HOUR)
    return Pace(hour, day, an_hour, now + timedelta(hours=left / an_hour) if left else None)


def microseconds_of(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def disagreements(data: StudyData, found: Outcomes) -> list[Problem]:
    """The items in use whose counted answers lie furthest apart; those that agree are left out."""
    counts = found.given.astype(np.float64)
    total = counts.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        if data.facts.kind == "likert":
            values = np.arange(1, RATINGS + 1)
            mean = counts @ values / total
            spread = np.sqrt(np.maximum(0, counts @ values**2 / total - mean**2))
        else:
            spread = 1 - counts.max(axis=1) / total
    spread = np.where((total >= 2) & ~data.items.withdrawn, spread, 0.0)
    return [_problem(data, item, _given(data, found, item)) for item in _highest(spread)]


def too_poor(data: StudyData, found: Outcomes) -> list[Problem]:
    """The items in use whose image most raters call too poor to say."""
    counts = np.where(data.items.withdrawn, 0, found.counts[:, TOO_POOR])
    total = found.counts.sum(axis=1)
    return [_problem(data, item, f"{counts[item]} of {total[item]} too poor") for item in _highest(counts)]


def _highest(values: Column) -> list[int]:
    order = np.argsort(-values, kind="stable")[:PROBLEMS]
    return [int(item) for item in order if values[item] > 0]


def _problem(data: StudyData, item: int, why: str) -> Problem:
    items = data.items
    return Problem(int(items.position[item]), items.groups[items.group[item]], items.pairs[items.pair[item]], why)


def _given(data: StudyData, found: Outcomes, item: int) -> str:
    names = GIVEN[data.facts.kind]
    given = found.given[item]
    return "answers " + ", ".join(name for name, number in zip(names, given, strict=False) for _ in range(int(number)))
