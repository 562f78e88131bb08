"""A study that recruits at Prolific, with Prolific beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from annotation_site.raters.models import Enrolment, Source
from annotation_site.raters.sources.presets import new_source
from annotation_site.recruitment.client import Prolific
from annotation_site.recruitment.models import ProlificStudy, Submission
from tests.annotation_site.recruitment.fake_prolific import TOKEN, FakeProlific

SECRET = "webhook-secret"


@pytest.fixture(scope="session")
def _server() -> Iterator[FakeProlific]:
    fake = FakeProlific()
    yield fake
    fake.close()


@pytest.fixture
def fake(_server: FakeProlific, settings) -> FakeProlific:
    """Prolific, empty, at the address that the site asks."""
    for rows in (_server.studies, _server.submissions, _server.bulk, _server.subscriptions):
        rows.clear()
    for lists in (_server.paid, _server.requests, _server.faults):
        lists.clear()
    _server.pays_later, _server.kid = False, "key-1"
    settings.PROLIFIC_API, settings.PROLIFIC_TOKEN = _server.base, TOKEN
    settings.PROLIFIC_WEBHOOK_SECRET = SECRET
    return _server


@pytest.fixture
def waits() -> list[float]:
    """How long the client waited between attempts."""
    return []


@pytest.fixture
def api(fake: FakeProlific, waits: list[float]) -> Iterator[Prolific]:
    with Prolific(TOKEN, fake.base, sleep=waits.append, timeout=5) as api:
        yield api


@pytest.fixture
def source(make_study) -> Source:
    made = new_source(make_study(items=2), "prolific", "prolific")
    made.full_clean()
    made.save()
    return made


@pytest.fixture
def at_prolific(source: Source, fake: FakeProlific) -> ProlificStudy:
    """The study as it runs at Prolific: 200 pence for each of ten people."""
    fake.studies["STUDY1"] = {"id": "STUDY1", "status": "ACTIVE", "name": "A study", "internal_name": "by hand"}
    return ProlificStudy.objects.create(
        source=source,
        prolific_id="STUDY1",
        status="ACTIVE",
        name="A study",
        description="Look at pictures.",
        reward=200,
        places=10,
        minutes=10,
    )


@pytest.fixture
def participant(at_prolific: ProlificStudy, fake: FakeProlific) -> Callable[..., Enrolment]:
    """``participant("1")``: someone who came from Prolific, agreed, and handed in."""

    def make(name: str = "1", status: str = "AWAITING REVIEW") -> Enrolment:
        client = Client()
        fake.add(f"SUB{name}", participant=f"PID{name}", status=status)
        query = f"PROLIFIC_PID=PID{name}&STUDY_ID=STUDY1&SESSION_ID=SUB{name}"
        first = client.get(f"/studies/study/from/prolific/?{query}")
        client.post(first["Location"], {"consent": "yes"})
        before = timezone.now() - timedelta(minutes=1)
        submission = Submission.objects.get(submission_id=f"SUB{name}")
        Submission.objects.filter(pk=submission.pk).update(status=status, status_at=before)
        return submission.enrolment

    return make
