"""The site in numbers, counted from its rows when asked, in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, QuerySet

from annotation_site.alerts.models import Alert, Kind
from annotation_site.rating.models import Judgement, Seat
from annotation_site.stimuli.models import Generation, Worker
from annotation_site.stimuli.queue import KILLED
from annotation_site.stimuli.workers import LATELY, speeds
from annotation_site.studies.models import Study

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Metric:
    """One family of numbers; ``values`` by the value of ``label``, or under "" where there is none."""

    name: str
    kind: str
    help: str
    values: Mapping[str, float] = field(default_factory=dict)
    label: str = ""

    def lines(self) -> list[str]:
        shown = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} {self.kind}"]
        for key, value in self.values.items():
            labels = f'{{{self.label}="{_escaped(key)}"}}' if self.label else ""
            shown.append(
                f"{self.name}{labels} {value:g}" if value != int(value) else f"{self.name}{labels} {int(value)}"
            )
        return shown


def measured(*, now: datetime) -> list[Metric]:
    """All numbers, from eleven statements at most, whatever the number of studies."""
    claimable = Generation.objects.claimable(now)
    oldest = claimable.order_by("id").values_list("queued_at", flat=True).first()
    made = Generation.objects.filter(state=Generation.State.DONE, done_at__gt=now - LATELY).count()
    return [
        Metric("attest_seats", "gauge", "Seats by state.", _by_state(Seat.objects.all(), Seat.State), "state"),
        Metric("attest_judgements", "gauge", "Judgements taken, corrections among them.",
               {"": Judgement.objects.count()}),
        Metric("attest_generations", "gauge", "Images with their maps, by state.",
               _by_state(Generation.objects.all(), Generation.State), "state"),
        Metric("attest_studies", "gauge", "Studies by state.", _by_state(Study.objects.all(), Study.State), "state"),
        Metric("attest_queue_length", "gauge", "Images that a worker could begin now.", {"": claimable.count()}),
        Metric("attest_queue_oldest_seconds", "gauge", "Age of the image that has waited longest; 0 if none waits.",
               {"": (now - oldest).total_seconds() if oldest else 0.0}),
        Metric("attest_images_per_second", "gauge", "Images made a second, over the last five minutes.",
               {"": made / LATELY.total_seconds()}),
        *_fleet(now),
        Metric("attest_alerts_open", "gauge", "Alerts of studies that are not over, by kind.", _alerts(), "kind"),
    ]  # fmt: skip


def _fleet(now: datetime) -> list[Metric]:
    """The workers that live, what each makes, and why images failed."""
    alive = list(Worker.objects.alive(now).order_by("name"))
    kinds = Counter(worker.kind for worker in alive)
    speed = speeds(alive, now)
    return [
        Metric("attest_workers_alive", "gauge", "Processes that draw and gave a sign of life, by kind.",
               {str(kind): float(kinds[kind]) for kind in Worker.Kind.values}, "kind"),
        Metric("attest_worker_images_per_second", "gauge", "Images made a second by each of these, over five minutes.",
               {worker.name: speed.get(worker.pk, 0.0) for worker in alive}, "worker"),
        Metric("attest_generations_failed", "gauge", "Images that failed, by the kind of error.", _failed(), "reason"),
    ]  # fmt: skip


def _failed() -> dict[str, float]:
    """By the name that an error begins with, and not by its text, which may differ from image to image."""
    errors = Generation.objects.filter(state=Generation.State.FAILED).order_by().values_list("error")
    found: Counter[str] = Counter()
    for error, number in errors.annotate(Count("pk")):
        name = error.partition(":")[0]
        found["WorkerKilled" if error == KILLED else name if name.isidentifier() else "other"] += number
    return {name: float(found[name]) for name in sorted(found)}


def _alerts() -> dict[str, float]:
    number = dict(Alert.objects.open().order_by().values_list("kind").annotate(Count("pk")))
    return {kind: float(number.get(kind, 0)) for kind in Kind.values}


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def text(metrics: Iterable[Metric]) -> str:
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())


def _by_state(rows: QuerySet, states: Iterable[str]) -> dict[str, float]:
    """Every state has a number, so that a graph shows none as 0."""
    counted = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    return {str(state.value): float(counted.get(state.value, 0)) for state in states}  # type: ignore[attr-defined]
