"""The administration's first page: what it counts, where it leads, and that it costs the same however much there is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation_site.alerts.models import Alert
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.assignment import database_now
from annotation_site.rating.models import Seat
from annotation_site.stimuli.models import Generation, Worker
from tests.annotation_site.reports.conftest import enrol, fill, judge

__all__ = ["enrol", "fill", "judge"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(make_study, fill):
    """``busy("slug")``: a study with answers, raters of each fate, a worker and an alert."""

    def make(slug: str) -> None:
        study, now = make_study(items=4, slug=slug), database_now()
        first, second, third = fill(study, {"NOUN": [(4, 3, 5)]})
        first.exclude("quick", now)
        Enrolment.objects.filter(pk=second.pk).update(completed_at=now)
        Enrolment.objects.filter(pk=third.pk).update(left_at=now)
        free = Seat.objects.filter(study=study, state="free").first()
        Seat.objects.filter(pk=free.pk).update(state="leased", enrolment=third, leased_until=now + timedelta(minutes=5))
        Enrolment.objects.create(study=study, rater=Rater.objects.create(simulated=True), completed_at=now)
        worker = Worker.objects.create(name=f"{slug}:1", host=slug, token="t", kind="loop", started_at=now,
                                       last_seen=now, device="NVIDIA H200")  # fmt: skip
        made = Generation.objects.filter(items__study=study).order_by("pk")
        Generation.objects.filter(pk__in=list(made.values_list("pk", flat=True)[:3])).update(
            made_by=worker, done_at=now
        )
        Alert.objects.create(study=study, kind="stuck", episode=1, began_at=now - timedelta(hours=3))

    return make


def test_it_counts_and_links_to_where_one_acts(admin_client, busy):
    busy("paper")
    Generation.objects.filter(pk=Generation.objects.order_by("pk").last().pk).update(state="failed", error="broken")
    response = admin_client.get("/admin/")
    figures = {figure.label: figure.value for figure in response.context["figures"]}
    assert figures == {
        "Images waiting": "0", "Images being made": "0", "Images failed": "1", "Images a second": "0.01",
        "Raters answering now": "1", "Raters finished": "1", "Raters excluded": "1", "Raters returned": "1",
    }  # fmt: skip
    html = response.content.decode()
    for text in ("3 of 12", "NVIDIA H200", "Images are not made", "3\xa0hours", "waits for work"):
        assert text in html, text
    main = html.partition('id="dashboard"')[2].partition('id="applications"')[0]
    for address in set(re.findall(r'href="(/[^"]+)"', main)):
        assert admin_client.get(address.replace("&amp;", "&")).status_code == 200, address


def test_an_empty_site_says_what_is_missing(admin_client):
    html = admin_client.get("/admin/").content.decode()
    assert "python manage.py work" in html
    assert "Open alerts" not in html


def test_it_asks_as_many_questions_of_a_full_site(admin_client, busy):
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert admin_client.get("/admin/").status_code == 200
        return len(queries)

    busy("first")
    once = asked()
    for slug in ("second", "third"):
        busy(slug)
    assert asked() == once <= 20
