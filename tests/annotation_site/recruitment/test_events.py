"""Prolific's events and lists: signed, fresh, once, in any order; what is given back frees what was held."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from annotation_site.raters.models import Enrolment
from annotation_site.raters.sources.presets import new_source
from annotation_site.rating import assignment
from annotation_site.rating.models import Seat
from annotation_site.recruitment.hooks import sign
from annotation_site.recruitment.models import ProlificStudy, Submission, WebhookEvent
from annotation_site.recruitment.paying import submission_of
from annotation_site.recruitment.submissions import counts, sync, told
from annotation_site.recruitment.tasks import sync_prolific
from tests.annotation_site.recruitment.conftest import SECRET

pytestmark = pytest.mark.django_db


def send(status: str = "RETURNED", *, event: str = "E1", ago: float = 0, number: str = "SUB1", **more):
    """One event as Prolific sends it."""
    kind = more.get("kind", "submission.status.change")
    content = {"resource_id": number, "event_type": kind, "participant_id": "PID1", "status": status}
    body = more.get("body", json.dumps(content).encode())
    stamp = str(int((timezone.now() - timedelta(seconds=ago)).timestamp()))
    headers = {
        "X-Prolific-Request-Timestamp": stamp,
        "X-Prolific-Request-Signature": more.get("signature", sign(more.get("secret", SECRET), stamp, body)),
        "X-Event-ID": event,
        "X-Timestamp": stamp,
    }
    return Client().post("/hooks/prolific/", body, content_type="application/json", headers=headers)


def lease(client: Client, enrolment: Enrolment) -> None:
    client.get(f"/rate/{enrolment.token}/")
    assert Seat.objects.filter(enrolment=enrolment, state="leased").count() == 1


def test_the_signature_is_that_of_prolifics_own_example():
    """base64(HMAC-SHA256(secret, timestamp + body)), worked out with openssl for these values."""
    assert sign("secret", "1700000000", b'{"a": 1}') == "fhEuMyjZXVBNiCyg6eX04jYuQHHGlae+XtzInd3IHaQ="


def test_a_returned_submission_frees_the_leases_and_ends_the_part(client, participant):
    enrolment = participant(status="ACTIVE")
    lease(client, enrolment)
    assert send("RETURNED").json() == {"new": True}
    assert not Seat.objects.filter(enrolment=enrolment).exists()
    enrolment.refresh_from_db()
    assert enrolment.left_at is not None
    assert client.get(f"/rate/{enrolment.token}/")["Location"].endswith("/done/")


def test_a_timed_out_one_frees_the_leases_and_may_still_be_finished(client, participant):
    enrolment = participant(status="ACTIVE")
    lease(client, enrolment)
    send("TIMED-OUT")
    assert not Seat.objects.filter(enrolment=enrolment).exists()
    lease(client, enrolment)
    assert Enrolment.objects.get().left_at is None


def test_an_event_that_comes_twice_has_its_effect_once(client, participant):
    enrolment = participant(status="ACTIVE")
    assert send("TIMED-OUT").json() == {"new": True}
    lease(client, enrolment)
    assert send("TIMED-OUT").json() == {"new": False}
    assert Seat.objects.filter(enrolment=enrolment, state="leased").exists()
    assert WebhookEvent.objects.count() == 1


def test_a_replay_under_another_event_id_is_known_by_its_signature(participant):
    participant(status="ACTIVE")
    first = send("TIMED-OUT", ago=5)
    assert first.json() == {"new": True}
    assert send("TIMED-OUT", event="E2", ago=5).json() == {"new": False}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"secret": "another"}, 401),
        ({"signature": ""}, 401),
        ({"signature": "ünsigned"}, 401),
        ({"ago": 301}, 401),
        ({"ago": -400}, 401),
        ({"body": b"no json"}, 400),
        ({"body": b"[]"}, 400),
    ],
)
def test_what_is_not_prolifics_and_fresh_has_no_effect(participant, more, status):
    participant(status="ACTIVE")
    assert send(**more).status_code == status
    assert not WebhookEvent.objects.exists()
    assert Submission.objects.get().status == "ACTIVE"


def test_wrong_method_and_no_secret(client, fake, settings):
    assert client.get("/hooks/prolific/").status_code == 405
    settings.PROLIFIC_WEBHOOK_SECRET = ""
    assert send(secret="").status_code == 404


def test_events_in_any_order_lead_to_the_same_end(at_prolific):
    reserved = {"prolific_study": at_prolific, "status": "RESERVED", "status_at": timezone.now()}
    orders = itertools.permutations(["ACTIVE", "TIMED-OUT", "AWAITING REVIEW", "APPROVED"])
    for run, order in enumerate(orders):
        submission = Submission.objects.create(submission_id=f"SUB{run}", **reserved)
        for place, status in enumerate(order):
            told(submission.submission_id, status, at=timezone.now() - timedelta(seconds=place))
        submission.refresh_from_db()
        assert submission.status == "APPROVED"


def test_events_of_strangers_and_of_new_kinds_are_taken_and_change_nothing(participant):
    participant(status="ACTIVE")
    assert send("RETURNED", event="E1", number="NEVER").status_code == 200
    assert send("PONDERING", event="E2").status_code == 200
    assert send("x" * 300, event="E3", kind="study.has_high_return_rate").status_code == 200
    assert Submission.objects.get().status == "ACTIVE"


@pytest.mark.parametrize("failure", [RuntimeError, IntegrityError])
def test_an_event_that_failed_comes_again(participant, monkeypatch, failure):
    """A constraint that the effect broke is no sign that the event was known."""
    participant(status="ACTIVE")

    def fails(*args, **kwargs):
        raise failure("the database went away")

    with monkeypatch.context() as broken:
        broken.setattr(assignment, "release_all", fails)
        with pytest.raises(failure):
            send("RETURNED")
    assert not WebhookEvent.objects.exists()
    assert Submission.objects.get().status == "ACTIVE"
    assert send("RETURNED").json() == {"new": True}


def test_a_study_event_moves_the_study_unless_it_is_older(at_prolific):
    send("PAUSED", number="STUDY1", kind="study.status.change")
    at_prolific.refresh_from_db()
    assert at_prolific.status == "PAUSED"
    ProlificStudy.objects.update(status="ACTIVE", status_at=timezone.now())
    send("PAUSED", number="STUDY1", kind="study.status.change", event="E2", ago=100)
    at_prolific.refresh_from_db()
    assert at_prolific.status == "ACTIVE"


def test_the_list_is_the_truth_whichever_way_it_goes(client, fake, api, participant, at_prolific):
    enrolment = participant(status="ACTIVE")
    lease(client, enrolment)
    fake.submissions["SUB1"]["status"] = "RETURNED"
    assert sync(at_prolific, api, now=timezone.now()) == 1
    enrolment.refresh_from_db()
    assert enrolment.left_at is not None
    assert not Seat.objects.filter(enrolment=enrolment).exists()
    # Prolific gave it back to them.
    fake.submissions["SUB1"]["status"] = "ACTIVE"
    sync(at_prolific, api, now=timezone.now())
    enrolment.refresh_from_db()
    assert enrolment.left_at is None


def test_the_list_ties_submissions_to_raters_and_counts_them(fake, api, participant, at_prolific):
    enrolment = participant()
    Submission.objects.all().delete()
    fake.add("SUB2", participant="NOBODY", status="TIMED-OUT")
    fake.add("SUB3", participant="ELSEWHERE", study="OTHER")
    assert sync(at_prolific, api, now=timezone.now()) == 2
    assert Submission.objects.get(submission_id="SUB1").enrolment == enrolment
    assert Submission.objects.get(submission_id="SUB2").enrolment is None
    assert counts(at_prolific) == [("TIMED-OUT", 1), ("AWAITING REVIEW", 1)]


def test_an_answer_that_was_on_its_way_does_not_undo_a_later_event(fake, api, participant, at_prolific):
    participant(status="ACTIVE")
    asked = timezone.now() - timedelta(seconds=30)
    send("RETURNED")
    sync(at_prolific, api, now=asked)
    assert Submission.objects.get().status == "RETURNED"


def test_the_end_of_an_earlier_submission_takes_nothing_from_a_later_one(client, participant, at_prolific):
    enrolment = participant(status="ACTIVE")
    now = timezone.now()
    later = {"enrolment": enrolment, "status": "ACTIVE", "status_at": now, "started_at": now}
    Submission.objects.create(prolific_study=at_prolific, submission_id="SUB2", **later)
    lease(client, enrolment)
    send("RETURNED")
    assert Seat.objects.filter(enrolment=enrolment, state="leased").exists()
    assert Enrolment.objects.get().left_at is None


@pytest.mark.parametrize("started_at", ["2020-01-01T10:00:00.000000Z", "2020-01-01T10:00:00", None, "long ago"])
def test_one_given_back_before_they_agreed_ends_nothing_when_it_is_heard_of_later(
    client, fake, api, participant, at_prolific, started_at
):
    """Who opened the study, returned it before agreeing, and came again: the list tells of the first one last."""
    fake.add("SUB0", participant="PID1", status="RETURNED", started_at=started_at)
    enrolment = participant(status="ACTIVE")
    lease(client, enrolment)
    assert sync(at_prolific, api, now=timezone.now()) == 2
    assert set(enrolment.submissions.values_list("submission_id", flat=True)) == {"SUB0", "SUB1"}
    assert Seat.objects.filter(enrolment=enrolment, state="leased").exists()
    assert Enrolment.objects.get().left_at is None
    assert submission_of(enrolment).submission_id == "SUB1"


def test_beat_reads_what_no_event_told(fake, participant, at_prolific, settings):
    participant(status="ACTIVE")
    fake.submissions["SUB1"]["status"] = "APPROVED"
    assert sync_prolific() == 1
    assert Submission.objects.get().status == "APPROVED"
    settings.PROLIFIC_TOKEN = ""
    assert sync_prolific() == 0


@pytest.mark.parametrize("known", ["", "UNPUBLISHED"])
def test_beat_finds_a_study_made_or_published_at_prolific_itself(fake, participant, known):
    participant(status="ACTIVE")
    ProlificStudy.objects.update(status=known)
    assert sync_prolific() == 1
    assert ProlificStudy.objects.get().status == "ACTIVE"
    # Over is over: nobody asks any more.
    ProlificStudy.objects.update(status="COMPLETED")
    fake.requests.clear()
    assert sync_prolific() == 0
    assert fake.requests == []


def test_a_study_that_was_deleted_at_prolific_keeps_no_other_waiting(fake, at_prolific, make_study, caplog):
    other = new_source(make_study(items=1, slug="other"), "prolific", "prolific")
    other.save()
    ProlificStudy.objects.create(
        source=other, prolific_id="STUDY2", status="ACTIVE", name="Another", reward=1, places=1, minutes=1
    )
    fake.studies["STUDY2"] = fake.studies.pop("STUDY1") | {"id": "STUDY2"}
    fake.add("SUB1", participant="PID1", study="STUDY2")
    assert sync_prolific() == 1
    assert "study at Prolific was not read" in caplog.text
    assert "Prolific refused GET" in caplog.text
