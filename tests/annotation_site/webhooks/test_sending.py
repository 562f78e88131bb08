"""Deliveries to a real receiver, which fails, hangs and loses replies."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from annotation_site.rating import assignment
from annotation_site.rating.assignment import database_now
from annotation_site.studies.members import Member
from annotation_site.webhooks import changes
from annotation_site.webhooks.models import Delivery
from annotation_site.webhooks.sending import deliver
from tests.annotation_site.webhooks.receivers import serving

pytestmark = pytest.mark.django_db


def make_due(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(due_at=database_now() - timedelta(seconds=1))


def test_a_delivery_is_signed_so_that_the_receiver_can_tell(waiting):
    with serving() as receiver:
        delivery = waiting(receiver.address)
        assert deliver(delivery.pk) is True
    [(headers, body, path)] = receiver.got
    stamp, signed = (part.partition("=")[2] for part in headers["Attest-Signature"].split(","))
    # What the documentation tells receivers to do, with nothing of ours.
    secret = changes.Webhook.objects.get().secret
    wanted = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(signed, wanted)
    assert abs(int(stamp) - database_now().timestamp()) < 60
    said = json.loads(body)
    assert (said["id"], said["type"], said["study"], said["data"]) == (
        str(delivery.uid), "study.closed", "study", {"state": "closed"},
    )  # fmt: skip
    assert headers["Attest-Delivery"] == said["id"]
    assert path == "/"
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.last_status, delivery.last_error) == ("delivered", 1, 200, "")


def test_the_secret_is_not_in_the_database(hook):
    webhook = hook()
    assert webhook.secret == webhook.told
    assert webhook.told not in str(list(changes.Webhook.objects.values()))
    assert changes.new_secret(webhook) != webhook.told


@pytest.mark.parametrize(
    ("step", "status", "says"),
    [(500, 500, "answered 500"), (404, 404, "answered 404"), (302, 302, "not followed"), ("lose", None, "Protocol")],
)
def test_what_was_not_taken_is_sent_again_under_the_same_id(waiting, step, status, says):
    with serving(step) as receiver:
        delivery = waiting(receiver.address)
        assert deliver(delivery.pk) is False
        delivery.refresh_from_db()
        assert (delivery.state, delivery.last_status) == ("waiting", status)
        assert says in delivery.last_error
        assert deliver(delivery.pk) is None, "it is not due yet"
        make_due(delivery)
        assert deliver(delivery.pk) is True
    ids = {headers["Attest-Delivery"] for headers, _, _ in receiver.got}
    bodies = {body for _, body, _ in receiver.got}
    assert (len(receiver.got), len(ids), len(bodies)) == (2, 1, 1)
    assert {path for _, _, path in receiver.got} == {"/"}


@pytest.mark.parametrize("step", ["hang", "drip"])
def test_a_receiver_that_takes_too_long_is_left(waiting, step):
    with serving(step) as receiver:
        delivery = waiting(receiver.address)
        assert deliver(delivery.pk, seconds=0.2) is False
    delivery.refresh_from_db()
    assert "Timeout" in delivery.last_error


def test_nobody_there_is_an_error_that_is_tried_again(waiting):
    with serving() as receiver:
        delivery = waiting(receiver.address)
    assert deliver(delivery.pk) is False
    delivery.refresh_from_db()
    assert "ConnectError" in delivery.last_error


def test_waits_grow_until_the_delivery_is_given_up_and_can_be_sent_again(waiting):
    waits = []
    with serving(*[503] * (len(Delivery.WAITS) + 1)) as receiver:
        delivery = waiting(receiver.address)
        for _ in range(len(Delivery.WAITS)):
            make_due(delivery)
            deliver(delivery.pk)
            delivery.refresh_from_db()
            waits.append(delivery.due_at - delivery.last_attempt_at)
        make_due(delivery)
        deliver(delivery.pk)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == ("failed", len(Delivery.WAITS) + 1)
        assert waits == [*Delivery.WAITS] == sorted(waits)
        assert deliver(delivery.pk) is None
        assert delivery.again(database_now())
        assert not delivery.again(database_now())
        assert deliver(delivery.pk) is True


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_it_once(waiting):
    with serving() as receiver:
        delivery, outcomes = waiting(receiver.address), []

        def send():
            try:
                outcomes.append(deliver(delivery.pk))
            finally:
                connection.close()

        threads = [threading.Thread(target=send) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (sorted(map(str, outcomes)), len(receiver.got)) == (["None"] * 5 + ["True"], 1)


def test_a_sender_that_died_is_followed_by_another(waiting):
    with serving() as receiver:
        delivery = waiting(receiver.address)
        assert Delivery.objects.claim(delivery.pk, database_now()) is not None
        assert deliver(delivery.pk) is None
        Delivery.objects.update(claimed_until=database_now() - timedelta(seconds=1))
        assert deliver(delivery.pk) is True
    assert Delivery.objects.get().attempts == 2


def test_the_command_sends_what_happened(run, hook, capsys):
    study = run()
    with serving() as receiver:
        hook(receiver.address)
        assignment.pause_study(study)
        call_command("send_webhooks")
        call_command("send_webhooks")
    assert capsys.readouterr().out.splitlines()[0].startswith("1 delivered, 0 failed")
    assert [json.loads(body)["type"] for _, body, _ in receiver.got] == ["study.paused"]


def test_while_a_webhook_is_not_active_nothing_is_sent_and_nothing_lost(run, hook):
    study = run()
    with serving() as receiver:
        webhook = hook(receiver.address)
        changes.change(webhook, active=False)
        assignment.pause_study(study)
        call_command("send_webhooks")
        assert receiver.got == []
        changes.change(webhook, active=True)
        call_command("send_webhooks")
        assert len(receiver.got) == 1


def test_nothing_is_sent_to_those_who_do_not_run_the_study_any_more(waiting):
    with serving() as receiver:
        delivery = waiting(receiver.address)
        Member.objects.all().delete()
        assert deliver(delivery.pk) is False
    assert receiver.got == []
