"""Looks at the studies in which something has happened, and turns signs into alerts: one row for each episode.

A study's answers are read again only when places have been answered since, by at least half a percent: so all looks at
a study of n answers together read some 200 n of them, however often the beat comes round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from annotation_site.alerts import signs
from annotation_site.alerts.models import Alert, Bounds, Kind, Notice, Subscription
from annotation_site.alerts.signs import Images, Sign
from annotation_site.counting import number
from annotation_site.guarded import guarded
from annotation_site.rating.models import Seat
from annotation_site.rating.seats import seats
from annotation_site.studies.models import Item, Study

RUNNING = (Study.State.OPEN, Study.State.PAUSED)
SHARE = 200


@dataclass(frozen=True)
class Episodes:
    """The alerts that were open in a study, and the last episode of each kind, when a look at it began."""

    open: dict[str, Alert]
    last: dict[str, int]


def look(now: datetime) -> int:
    """Open the alerts that are due and end those that are over, in all studies; how many were opened."""
    Alert.objects.open().filter(study__state=Study.State.CLOSED).update(ended_at=now)
    unmade = signs.unmade()
    opened = 0
    for study in _running():
        opened += _each(study, partial(_look_at_answers, study, now))
    for study in _drawing(unmade):
        opened += _each(study, partial(_look_at_images, study, unmade.get(study.pk, Images()), now))
    return opened


def _each(study: Study, look_at: Callable[[], int]) -> int:
    return guarded(f"Study {study.slug} could not be looked at for alerts.", look_at) or 0


def _look_at_answers(study: Any, now: datetime) -> int:
    bounds = _bounds(study)
    if not (_news(bounds.seen_answers, study.answered, left=study.left) or _ended_otherwise(study)):
        return 0
    before = episodes(study)
    opened = settle(study, before, signs.of_answers(study, bounds), now)
    # After the alerts: whoever dies before this line leaves the study to be looked at again.
    bounds.looked(study.answered)
    return opened


def _running() -> QuerySet:
    """Running studies with ``answered`` places (checks too), whether any is ``left``, and whether it is ``told`` that
    none is: by the seats' own indexes."""
    places = Seat.objects.filter(study=OuterRef("pk")).order_by()
    left = Q()
    for state in (Seat.State.FREE, Seat.State.LEASED, Seat.State.PENDING):
        left |= Q(Exists(places.filter(state=state, item__withdrawn_at__isnull=True, item__purpose=Item.Purpose.RATED)))
    answered = number(places.filter(state=Seat.State.DONE).values("study"))
    told = Exists(Alert.objects.open().filter(study=OuterRef("pk"), kind=Kind.FINISHED))
    running = Study.objects.filter(state__in=RUNNING).annotate(answered=answered, left=left, told=told)
    return running.select_related("alert_bounds")


def _news(seen: int | None, answered: int, *, left: bool) -> bool:
    if seen is None:
        return answered > 0
    return seen != answered and (not left or abs(answered - seen) > seen // SHARE)


def _ended_otherwise(study: Any) -> bool:
    """Whether places were closed or opened again by no answer: items withdrawn or put back, seats given to others."""
    return bool(study.left == study.told and seats(study).total)


def _bounds(study: Study) -> Bounds:
    known: Bounds | None = getattr(study, "alert_bounds", None)
    return known or Bounds.objects.get_or_create(study=study)[0]


def _drawing(unmade: Iterable[int]) -> QuerySet[Study]:
    """Studies to look at each minute: that images are not made is no row that changes."""
    concerned = Q(pk__in=unmade) | Q(alert_bounds__waiting_since__isnull=False)
    concerned |= Q(pk__in=Alert.objects.open().filter(kind=Kind.STUCK).values("study"))
    return Study.objects.filter(concerned).exclude(state=Study.State.CLOSED).select_related("alert_bounds")


def _look_at_images(study: Study, images: Images, now: datetime) -> int:
    bounds, before = _bounds(study), episodes(study)
    since = (bounds.waiting_since or now) if images.waiting else None
    if since != bounds.waiting_since:
        Bounds.objects.filter(pk=bounds.pk).update(waiting_since=since)
    lately = signs.drawn_since(now - timedelta(minutes=bounds.stuck_minutes or 0))
    sign = signs.of_images(bounds, images, waits=now - (since or now), drawn_lately=lately)
    return settle(study, before, [sign], now)


def episodes(study: Study) -> Episodes:
    last = dict(study.alerts.order_by().values_list("kind").annotate(Max("episode")))
    return Episodes({alert.kind: alert for alert in study.alerts.open()}, last)


def settle(study: Study, before: Episodes, found: Iterable[Sign], now: datetime) -> int:
    """Open or end the study's alerts as the signs say; how many were opened.

    ``before`` is read before the signs are worked out, and each step is from there: of two that look at the same
    moment the constraints let one write an episode, and one that is behind can end only what it had seen.
    """
    opened = 0
    for sign in found:
        alert = before.open.get(sign.kind)
        if alert is None and sign.holds:
            opened += _open(study, sign, before.last.get(sign.kind, 0) + 1, now)
        elif alert is not None and sign.over:
            alert.end(now)
    return opened


def _open(study: Study, sign: Sign, episode: int, now: datetime) -> bool:
    """Write the alert down with a notice for each who wants it; False where another was quicker."""
    try:
        with transaction.atomic():
            alert = Alert.objects.create(study=study, kind=sign.kind, episode=episode, data=sign.data, began_at=now)
            wanted = Subscription.objects.filter(study=study).wanted()
            Notice.objects.bulk_create(Notice(alert=alert, subscription=each, due_at=now) for each in wanted)
    except IntegrityError:
        return False
    return True


def open_alerts() -> QuerySet[Alert]:
    """What is so now in studies, the newest first."""
    return Alert.objects.open().select_related("study").order_by(F("began_at").desc(), "-pk")
