"""The site in numbers, counted from its rows when asked, in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from annotation_site.rating.models import Judgement, Seat
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Study

WINDOW = timedelta(minutes=5)
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
            labels = f'{{{self.label}="{key}"}}' if self.label else ""
            shown.append(
                f"{self.name}{labels} {value:g}" if value != int(value) else f"{self.name}{labels} {int(value)}"
            )
        return shown


def measured(*, now: datetime) -> list[Metric]:
    """All numbers, from seven statements whatever the number of studies."""
    claimable = Generation.objects.claimable(now)
    oldest = claimable.order_by("id").values_list("queued_at", flat=True).first()
    made = Generation.objects.filter(state=Generation.State.DONE, done_at__gt=now - WINDOW).count()
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
               {"": made / WINDOW.total_seconds()}),
    ]  # fmt: skip


def text(metrics: Iterable[Metric]) -> str:
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())


def _by_state(rows: QuerySet, states: Iterable[str]) -> dict[str, float]:
    """Every state has a number, so that a graph shows none as 0."""
    counted = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    return {str(state.value): float(counted.get(state.value, 0)) for state in states}  # type: ignore[attr-defined]
