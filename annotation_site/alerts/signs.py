"""What is looked for in a study: for each kind, whether it is so now, and whether it is clearly over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef

from annotation_site.alerts.models import Bounds, Kind
from annotation_site.rating import checks
from annotation_site.rating.seats import seats
from annotation_site.reports.agreement import agreement, pairable
from annotation_site.reports.loading import load
from annotation_site.reports.outcomes import outcomes
from annotation_site.stimuli.models import Generation, Worker
from annotation_site.studies.models import Item, Study

# A number that wavers about its bound is one episode: it is over only when the number is this far on the good side.
AGREEMENT_MARGIN = 0.02
FAILURES_MARGIN = 5
UNMADE = (Generation.State.QUEUED, Generation.State.CLAIMED, Generation.State.FAILED)


@dataclass(frozen=True)
class Sign:
    """``holds``: it is so. ``over``: it is clearly not. ``data`` are the numbers that the mail names."""

    kind: Kind
    holds: bool
    over: bool
    data: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def plain(cls, kind: Kind, holds: bool, **data: Any) -> Sign:
        return cls(kind, holds, not holds, data)


@dataclass(frozen=True)
class Images:
    """Images of a study that are not made: how many wait and may be drawn, how many failed, one of the reasons."""

    waiting: int = 0
    failed: int = 0
    reason: str = ""


def of_answers(study: Study, bounds: Bounds) -> Iterator[Sign]:
    """What answers tell. Reads all of them: ask only when some have come."""
    places = seats(study)
    yield Sign.plain(Kind.FINISHED, places.total > 0 and not places.left, answers=places.done)
    yield _agreement(study, bounds)
    yield _failures(study, bounds)


def _agreement(study: Study, bounds: Bounds) -> Sign:
    below = bounds.agreement_below
    if below is None:
        return Sign.plain(Kind.AGREEMENT, False)
    data = load(study)
    which = data.counted()
    found = outcomes(data, which)
    number, value = pairable(data, found, which), agreement(data, found, which).value
    if value is None or number < bounds.agreement_answers:
        return Sign.plain(Kind.AGREEMENT, False)
    told = {"value": round(value, 3), "below": below, "answers": number}
    return Sign(Kind.AGREEMENT, value < below, value >= min(below + AGREEMENT_MARGIN, 1.0), told)


def _failures(study: Study, bounds: Bounds) -> Sign:
    """The share of checks failed by the last raters who met any, beside that of as many before them."""
    bound, number = bounds.failures_percent, bounds.failures_raters
    if bound is None:
        return Sign.plain(Kind.FAILURES, False)
    answered = checks.answered().filter(seat__study=study, enrolment__rater__simulated=False)
    latest = answered.order_by().values("enrolment").annotate(last=Max("pk")).order_by("-last")
    raters = [each["enrolment"] for each in latest[: 2 * number]]
    given: Counter[tuple[bool, bool]] = Counter()
    for result in checks.judged(answered.filter(enrolment__in=raters)):
        if result.passed is not None:
            given[result.judgement.enrolment_id in raters[:number], result.passed] += 1
    now, before = (_percent(given[late, False], given[late, True]) for late in (True, False))
    if len(raters) < number or now is None:
        return Sign.plain(Kind.FAILURES, False)
    told = {"percent": round(now), "before": None if before is None else round(before), "raters": number}
    over = now <= max(bound - FAILURES_MARGIN, 0)
    return Sign(Kind.FAILURES, now > bound and (before is None or now > before), over, told)


def _percent(failed: int, passed: int) -> float | None:
    return 100 * failed / (failed + passed) if failed + passed else None


def of_images(bounds: Bounds, images: Images, *, waits: timedelta, drawn_lately: bool) -> Sign:
    """Whether images that wait are not made: none of the site's is for so long, or some of these have failed."""
    minutes = bounds.stuck_minutes
    if minutes is None:
        return Sign.plain(Kind.STUCK, False)
    idle = bool(images.waiting) and not drawn_lately and waits >= timedelta(minutes=minutes)
    told = {"waiting": images.waiting, "failed": images.failed, "reason": images.reason, "minutes": minutes}
    return Sign.plain(Kind.STUCK, idle or images.failed > 0, idle=idle, **told)


def unmade() -> dict[int, Images]:
    """Images of each study that is not closed, by its key; studies whose images are all made are left out."""
    waiting, failed, reasons = Counter[int](), Counter[int](), dict[int, str]()
    for name in ("generation", "second_generation"):
        items = Item.objects.in_use().exclude(study__state=Study.State.CLOSED).order_by()
        left = items.filter(**{f"{name}__state__in": UNMADE})
        rows = left.values_list("study", f"{name}__state", f"{name}__held")
        for pk, state, held, number, reason in rows.annotate(Count(name, distinct=True), Max(f"{name}__error")):
            if state == Generation.State.FAILED:
                failed[pk] += number
                reasons[pk] = reason
            elif not held:
                waiting[pk] += number
    return {pk: Images(waiting[pk], failed[pk], reasons.get(pk, "")) for pk in {*waiting, *failed}}


def drawn_since(moment: datetime) -> bool:
    """Whether any worker has made an image since; asked of the index that each worker's images have."""
    made = Generation.objects.filter(made_by=OuterRef("pk"), done_at__gt=moment)
    return Worker.objects.filter(Exists(made)).exists()
