"""A researcher with a study, and a webhook of theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from annotation_site.rating.assignment import database_now
from annotation_site.studies.members import Member
from annotation_site.webhooks import changes
from annotation_site.webhooks.models import Delivery, Event, Webhook


@pytest.fixture
def owner(django_user_model):
    return django_user_model.objects.create_user("ada", password="a long password")


@pytest.fixture
def run(make_study, owner) -> Callable:
    """``run(**fields)``: a study that ``owner`` runs."""

    def make(**fields):
        study = make_study(**fields)
        Member.objects.create(study=study, user=owner)
        return study

    return make


@pytest.fixture
def hook(owner) -> Callable[..., Webhook]:
    """``hook(address)``: a webhook for every event but the threshold, and its secret as ``.told``."""

    def make(address: str = "https://example.org/hook", **fields) -> Webhook:
        events = [event for event in Event.values if event != Event.THRESHOLD]
        webhook, secret = changes.register(owner, **{"address": address, "events": events, **fields})
        webhook.told = secret
        return webhook

    return make


@pytest.fixture
def waiting(run, hook) -> Callable[..., Delivery]:
    """``waiting(address)``: a delivery that is due."""

    def make(address: str) -> Delivery:
        study, now = run(), database_now()
        webhook = hook(address, events=[Event.CLOSED])
        return Delivery.objects.create(
            webhook=webhook, study=study, event=Event.CLOSED, key="test", data={"state": "closed"}, happened_at=now,
            due_at=now - timedelta(seconds=1),
        )  # fmt: skip

    return make
