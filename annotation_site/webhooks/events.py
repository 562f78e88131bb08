"""What happened, read off the rows of a study: each event once for each webhook, however often this looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max, Q, Sum

from annotation_site.guarded import guarded
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.assignment.clock import settled_until
from annotation_site.rating.models import Judgement
from annotation_site.rating.seats import seats
from annotation_site.reports.agreement import agreement
from annotation_site.reports.loading import load
from annotation_site.reports.outcomes import outcomes
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Study
from annotation_site.webhooks.models import Delivery, Event, Webhook
from annotation_site.worker.generation import wanted_by

MILESTONES = (10, 25, 50, 75, 90)
STATES = {"open": Event.OPENED, "paused": Event.PAUSED, "closed": Event.CLOSED}
BLOCK = 500


@dataclass(frozen=True)
class Happened:
    """An event; ``key`` is its name within the webhook."""

    event: Event
    key: str
    at: datetime
    data: dict[str, Any]


def write_down(webhook: Webhook, now: datetime, *, past: bool = False) -> int:
    """Make a delivery of everything that is new to this webhook; how many.

    ``past`` is for a webhook that is made now: where a study stands already is noted and not sent. Then a study that
    cannot be read raises; otherwise the log tells of it, and the next look reads it again.
    """
    state = Delivery.State.PAST if past else Delivery.State.WAITING
    studies = Study.objects.run_by(webhook.owner)
    if webhook.study_id:
        studies = studies.filter(pk=webhook.study_id)
    # Read before the rows are: what appears later with an older stamp than others is still ahead of it.
    settled = settled_until()
    stored = []
    for study in studies:
        store = partial(_store, webhook, study, state, now)
        failure = f"Study {study.slug} could not be read for webhook {webhook.uid}."
        stored.append(store() if past else guarded(failure, store))
    if Event.COMPLETED in webhook.events and None not in stored:
        _move_on(webhook, settled)
    return sum(number or 0 for number in stored)


def _move_on(webhook: Webhook, settled: datetime) -> None:
    """Leave out, next time, the completions that were written down; never back, whoever looks at the same moment."""
    behind = Q(completions_until__isnull=True) | Q(completions_until__lt=settled)
    if settled > webhook.created_at:
        Webhook.objects.filter(behind, pk=webhook.pk).update(completions_until=settled)


def _store(webhook: Webhook, study: Study, state: str, now: datetime) -> int:
    found = list(_happened(webhook, study, now))
    known = set(webhook.deliveries.filter(key__in=[each.key for each in found]).values_list("key", flat=True))
    new = [
        Delivery(webhook=webhook, study=study, event=each.event, key=each.key, data=each.data, happened_at=each.at,
                 due_at=now, state=state)
        for each in found if each.key not in known
    ]  # fmt: skip
    # Another that looks at the same moment may have been quicker: the constraint keeps one of each.
    Delivery.objects.bulk_create(new, ignore_conflicts=True, batch_size=BLOCK)
    return len(new)


def _happened(webhook: Webhook, study: Study, now: datetime) -> Iterator[Happened]:
    wanted = set(webhook.events)
    if wanted & set(STATES.values()):
        yield from (each for each in _changes(webhook, study) if each.event in wanted)
    if Event.COMPLETED in wanted:
        yield from _completions(webhook, study)
    if wanted & {Event.MILESTONE, Event.FINISHED}:
        yield from (each for each in _answered(study, now) if each.event in wanted)
    if wanted & {Event.MADE, Event.FAILED}:
        yield from (each for each in _images(study, now) if each.event in wanted)
    if Event.THRESHOLD in wanted:
        yield from _passed(webhook, study, now)


def _changes(webhook: Webhook, study: Study) -> Iterator[Happened]:
    for change in study.changes.filter(at__gte=webhook.created_at):
        yield Happened(STATES[change.state], f"change:{change.pk}", change.at, {"state": change.state})


def _completions(webhook: Webhook, study: Study) -> Iterator[Happened]:
    since = webhook.completions_until or webhook.created_at
    done = Enrolment.objects.filter(study=study, completed_at__gte=since)
    for enrolment in done.select_related("rater").order_by("pk").iterator(chunk_size=BLOCK):
        at = enrolment.completed_at
        assert at is not None  # noqa: S101 - for the type checker: the filter says so
        yield Happened(Event.COMPLETED, completion_key(enrolment), at, completion_data(enrolment.rater))


def completion_key(enrolment: Enrolment) -> str:
    return f"completed:{enrolment.pk}"


def completion_data(rater: Rater) -> dict[str, Any]:
    return {"rater": rater.pseudonym, "simulated": rater.simulated}


def _answered(study: Study, now: datetime) -> Iterator[Happened]:
    """How many of the places are answered, in steps; an answer of a simulated rater takes a place as well."""
    places = seats(study)
    for percent in MILESTONES:
        if places.total and places.done * 100 >= percent * places.total:
            data = {"percent": percent, "answered": places.done, "places": places.total}
            yield Happened(Event.MILESTONE, f"milestone:{study.pk}:{percent}", now, data)
    if places.total and not places.left:
        yield Happened(Event.FINISHED, f"finished:{study.pk}", now, {"answered": places.done})


def _images(study: Study, now: datetime) -> Iterator[Happened]:
    """The end of the making, and of each later one (tried again, failed again)."""
    mine = wanted_by(study).order_by()
    number = dict(mine.values_list("state").annotate(Count("pk")))
    done, failed = number.get("done", 0), number.get("failed", 0)
    if done + failed and done + failed == sum(number.values()):
        attempts = mine.aggregate(Sum("attempts"))["attempts__sum"]
        yield Happened(Event.MADE, f"made:{study.pk}:{attempts}", now, {"done": done, "failed": failed})
    if failed:
        broken = mine.filter(state=Generation.State.FAILED)
        seen = broken.aggregate(Sum("attempts"), Max("pk"))
        reasons = list(broken.order_by("pk").values_list("error", flat=True)[:3])
        key = f"failed:{study.pk}:{failed}:{seen['pk__max']}:{seen['attempts__sum']}"
        yield Happened(Event.FAILED, key, now, {"failed": failed, "reasons": reasons})


def _passed(webhook: Webhook, study: Study, now: datetime) -> Iterator[Happened]:
    """The report's number once it has passed the bound: once for each bound."""
    key = f"threshold:{study.pk}:{webhook.measure}:{webhook.above}:{webhook.below}"
    number = Judgement.objects.counted().of_people().filter(seat__study=study).count()
    if number < max(1, webhook.least_judgements) or webhook.deliveries.filter(key=key).exists():
        return
    value = number if webhook.measure == Webhook.Measure.JUDGEMENTS else _agreement(study, number)
    if value is None:
        return
    passed = value > webhook.above if webhook.above is not None else value < (webhook.below or 0)
    if passed:
        bound = {"above": webhook.above} if webhook.above is not None else {"below": webhook.below}
        yield Happened(
            Event.THRESHOLD, key, now, {"measure": webhook.measure, "value": value, "judgements": number, **bound}
        )


def _agreement(study: Study, number: int) -> float | None:
    """Krippendorff's alpha of people, computed anew only when answers have come."""

    def compute() -> float | None:
        data = load(study)
        which = data.counted()
        return agreement(data, outcomes(data, which), which).value

    found: float | None = cache.get_or_set(f"webhooks/agreement/{study.pk}/{number}", compute, 3600)
    return found
