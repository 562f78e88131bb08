"""The administration's first page: studies, images, raters and alerts as they are now, each with where to act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timesince import timesince

from annotation_site.alerts.noticing import open_alerts
from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import database_now
from annotation_site.rating.models import Seat
from annotation_site.reports.actions import with_progress
from annotation_site.stimuli.models import Generation, Worker
from annotation_site.stimuli.workers import speeds
from annotation_site.studies.models import Study

SHOWN = 20


@dataclass(frozen=True)
class Figure:
    """A number with its name, and the page where one sees what is behind it."""

    label: str
    value: str
    address: str


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold's index is given (``DASHBOARD_CALLBACK``): a fixed number of queries, whatever the site holds."""
    now = database_now()
    workers = list(Worker.objects.alive(now).order_by("name"))
    speed = speeds(workers, now)
    return context | {
        "now": now,
        "figures": [*_images(sum(speed.values())), *_raters(now)],
        "studies": _studies(),
        "closed": Study.objects.filter(state=Study.State.CLOSED).count(),
        "workers": _workers(workers, speed, now),
        "alerts": _alerts(now),
        "links": {"studies": _list("studies_study"), "workers": _list("stimuli_worker")},
    }


def _list(model: str, query: str = "") -> str:
    return reverse(f"admin:{model}_changelist") + query


def _images(speed: float) -> list[Figure]:
    number = dict(Generation.objects.order_by().values_list("state").annotate(Count("pk")))
    states = (("Images waiting", "queued"), ("Images being made", "claimed"), ("Images failed", "failed"))
    page = _list("stimuli_generation", "?state__exact=")
    found = [Figure(label, str(number.get(state, 0)), page + state) for label, state in states]
    return [*found, Figure("Images a second", f"{speed:.2f}", _list("stimuli_worker"))]


def _raters(now: datetime) -> list[Figure]:
    """People in studies that are not closed."""
    people = Enrolment.objects.people().exclude(study__state=Study.State.CLOSED)
    number = people.aggregate(
        finished=Count("pk", filter=Q(completed_at__isnull=False)),
        excluded=Count("pk", filter=Q(excluded_at__isnull=False)),
        returned=Count("pk", filter=Q(left_at__isnull=False)),
    )
    leased = Seat.objects.filter(state=Seat.State.LEASED, leased_until__gt=now, enrolment__rater__simulated=False)
    page = _list("raters_enrolment", "?rater__simulated__exact=0")
    return [
        Figure("Raters answering now", str(leased.values("enrolment").distinct().count()), page),
        Figure("Raters finished", str(number["finished"]), page + "&completed_at__isnull=0"),
        Figure("Raters excluded", str(number["excluded"]), page + "&excluded_at__isempty=0"),
        Figure("Raters returned", str(number["returned"]), page + "&left_at__isnull=0"),
    ]


def _studies() -> dict[str, Any]:
    """Those that are not closed, the newest first, as unfold's table has it."""
    studies: list[Any] = list(with_progress(Study.objects.exclude(state=Study.State.CLOSED))[:SHOWN])
    people = Enrolment.objects.people().filter(study__in=studies).order_by().values_list("study")
    raters = dict(people.annotate(Count("pk")))
    rows = [
        [
            _link(reverse("admin:studies_study_change", args=[study.pk]), study.title),
            study.get_state_display(),
            _link(reverse("report-live", args=[study.slug]), f"{study.answered} of {study.places}"),
            _link(_list("raters_enrolment", f"?study__id__exact={study.pk}"), str(raters.get(study.pk, 0))),
        ]
        for study in studies
    ]
    return {"headers": ["Study", "State", "Answers", "Raters"], "rows": rows}


def _workers(workers: list[Worker], speed: dict[int, float], now: datetime) -> dict[str, Any]:
    rows = [
        [
            _link(reverse("admin:stimuli_worker_change", args=[worker.pk]), worker.name),
            worker.doing(now),
            worker.device or "no model loaded yet",
            f"{speed.get(worker.pk, 0.0):.2f}",
        ]
        for worker in workers
    ]
    return {"headers": ["Worker", "Does", "Device", "Images a second"], "rows": rows}


def _alerts(now: datetime) -> dict[str, Any]:
    rows = [
        [
            _link(reverse("research-alerts", args=[alert.study.slug]), alert.get_kind_display().capitalize()),
            _link(reverse("research-study", args=[alert.study.slug]), alert.study.title),
            timesince(alert.began_at, now, depth=1),
        ]
        for alert in open_alerts()[:SHOWN]
    ]
    return {"headers": ["Alert", "Study", "For"], "rows": rows}


def _link(address: str, text: str) -> str:
    return format_html('<a class="underline" href="{}">{}</a>', address, text)
