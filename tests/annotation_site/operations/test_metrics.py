"""The numbers at /metrics, against rows counted by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation_site.alerts.models import Alert
from annotation_site.operations import metrics
from annotation_site.rating.models import Seat
from annotation_site.stimuli.models import Generation, Worker
from annotation_site.stimuli.queue import KILLED

pytestmark = pytest.mark.django_db


def numbers(text: str) -> dict[str, float]:
    rows = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (row.rsplit(" ", 1) for row in rows)}


def test_the_numbers_are_those_of_the_rows(make_study, django_assert_num_queries):
    now = timezone.now()
    make_study(items=4, seats_per_item=3)
    make_study(items=3, seats_per_item=2, slug="queued", opened=False, done=False)
    rows = list(Generation.objects.order_by("id"))
    Generation.objects.filter(pk__in=[row.pk for row in rows[:3]]).update(done_at=now - timedelta(seconds=60))
    Generation.objects.filter(pk=rows[3].pk).update(done_at=now - timedelta(minutes=6))
    Generation.objects.filter(pk=rows[4].pk).update(queued_at=now - timedelta(seconds=90))
    Generation.objects.filter(pk=rows[5].pk).update(
        state="claimed", claimed_by="other:1", claimed_until=now + timedelta(minutes=1)
    )
    Seat.objects.filter(pk=Seat.objects.filter(state="free").first().pk).update(state="pending")
    with django_assert_num_queries(10):
        found = numbers(metrics.text(metrics.measured(now=now)))
    assert found == {
        'attest_seats{state="pending"}': 1,
        'attest_seats{state="free"}': 11,
        'attest_seats{state="leased"}': 0,
        'attest_seats{state="done"}': 0,
        "attest_judgements": 0,
        'attest_generations{state="queued"}': 2,
        'attest_generations{state="claimed"}': 1,
        'attest_generations{state="done"}': 4,
        'attest_generations{state="failed"}': 0,
        'attest_studies{state="draft"}': 1,
        'attest_studies{state="open"}': 1,
        'attest_studies{state="paused"}': 0,
        'attest_studies{state="closed"}': 0,
        "attest_queue_length": 2,
        "attest_queue_oldest_seconds": 90,
        "attest_images_per_second": 0.01,
        **{f'attest_workers_alive{{kind="{kind}"}}': 0 for kind in ("celery", "loop", "command")},
        **{f'attest_alerts_open{{kind="{kind}"}}': 0 for kind in ("finished", "agreement", "failures", "stuck")},
    }


def test_the_fleet_what_failed_and_open_alerts(make_study):
    now = timezone.now()
    study = make_study(items=6, opened=False)
    rows = list(Generation.objects.order_by("id"))
    seen = {"host": "gpu", "token": "t", "started_at": now}
    alive = Worker.objects.create(name='gpu "a":1', kind="celery", last_seen=now, **seen)
    Worker.objects.create(name="gone:2", kind="loop", last_seen=now - timedelta(hours=1), **seen)
    Generation.objects.filter(pk__in=[row.pk for row in rows[:3]]).update(made_by=alive, done_at=now)
    for row, error in zip(rows[3:], ("OutOfMemoryError: 2 GiB", KILLED, "the word has no token"), strict=True):
        Generation.objects.filter(pk=row.pk).update(state="failed", error=error)
    Alert.objects.create(study=study, kind="stuck", episode=1, began_at=now, ended_at=now)
    Alert.objects.create(study=study, kind="stuck", episode=2, began_at=now)
    found = numbers(metrics.text(metrics.measured(now=now)))
    wanted = {
        'attest_workers_alive{kind="celery"}': 1,
        'attest_workers_alive{kind="loop"}': 0,
        'attest_worker_images_per_second{worker="gpu \\"a\\":1"}': 0.01,
        'attest_generations_failed{reason="OutOfMemoryError"}': 1,
        'attest_generations_failed{reason="WorkerKilled"}': 1,
        'attest_generations_failed{reason="other"}': 1,
        'attest_alerts_open{kind="stuck"}': 1,
        'attest_alerts_open{kind="finished"}': 0,
    }
    assert {name: found.get(name) for name in wanted} == wanted


def test_each_family_is_described_once_in_the_form_that_prometheus_reads(client):
    text = client.get("/metrics").content.decode()
    assert text.endswith("\n")
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert names == [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]
    assert len(names) == len(set(names)) == 11


@pytest.mark.parametrize(
    ("token", "sent", "status"),
    [
        ("", "", 403),
        ("", "Bearer ", 403),
        ("the-token-of-prometheus", "", 403),
        ("the-token-of-prometheus", "Bearer another", 403),
        ("the-token-of-prometheus", "Basic the-token-of-prometheus", 403),
        ("the-token-of-prometheus", "Bearer the-token-of-prometheus", 200),
    ],
)
def test_in_production_only_the_token_opens_them(client, settings, token, sent, status):
    settings.PRODUCTION, settings.METRICS_TOKEN = True, token
    answer = client.get("/metrics", headers={"Authorization": sent})
    assert answer.status_code == status
    assert (b"attest_seats" in answer.content) == (status == 200)


def test_admins_may_read_them_and_other_users_may_not(client, settings, django_user_model):
    settings.PRODUCTION = True
    user = django_user_model.objects.create_user("someone")
    client.force_login(user)
    assert client.get("/metrics").status_code == 403
    django_user_model.objects.filter(pk=user.pk).update(is_staff=True)
    assert client.get("/metrics").status_code == 403
    django_user_model.objects.filter(pk=user.pk).update(is_superuser=True)
    assert client.get("/metrics").status_code == 200
