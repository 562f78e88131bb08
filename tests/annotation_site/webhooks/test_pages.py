"""/webhooks/ : registering, changing, sending again; a user's own alone."""

from __future__ import annotations

import pytest

from annotation_site.webhooks.models import Delivery, Webhook
from annotation_site.webhooks.sending import deliver
from tests.annotation_site.webhooks.receivers import serving

pytestmark = pytest.mark.django_db
FORM = {"address": "https://example.org/hook", "events": ["study.opened"], "study": "", "measure": ""}


def test_strangers_are_asked_to_sign_in(client):
    answer = client.get("/webhooks/")
    assert (answer.status_code, "next=/webhooks/" in answer["Location"]) == (302, True)


def test_registering_shows_the_secret_once(client, run, owner):
    study = run()
    client.force_login(owner)
    page = client.post("/webhooks/", {**FORM, "study": study.pk}).content.decode()
    webhook = Webhook.objects.get()
    assert (webhook.owner, webhook.study, webhook.events) == (owner, study, ["study.opened"])
    assert webhook.secret in page
    for address in ("/webhooks/", f"/webhooks/{webhook.uid}/"):
        assert webhook.secret not in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"address": "nowhere"}, "whole address"), ({"events": []}, "required"),
        ({"events": ["study.opened", "report.threshold"]}, "measure"), ({"study": "999"}, "valid choice"),
        ({"above": "x"}, "number"), ({"least_judgements": "-1"}, "greater than or equal"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_the_field(client, owner, change, says):
    client.force_login(owner)
    answer = client.post("/webhooks/", FORM | change)
    assert (answer.status_code, says in answer.content.decode()) == (200, True)
    assert not Webhook.objects.exists()


def test_only_own_studies_can_be_chosen(client, owner, make_study):
    client.force_login(owner)
    client.post("/webhooks/", {**FORM, "study": make_study().pk})
    assert not Webhook.objects.exists()


def test_other_peoples_webhooks_do_not_exist(client, hook, django_user_model):
    webhook = hook()
    client.force_login(django_user_model.objects.create_user("eve"))
    assert webhook.address not in client.get("/webhooks/").content.decode()
    for path in ("", "secret/", "pause/", "delete/"):
        assert client.post(f"/webhooks/{webhook.uid}/{path}", FORM).status_code == 404
    webhook.refresh_from_db()
    assert (webhook.active, webhook.secret) == (True, webhook.told)


def test_settings_pause_and_deletion(client, hook, owner):
    webhook = hook()
    client.force_login(owner)
    home = f"/webhooks/{webhook.uid}/"
    assert client.post(home, FORM | {"events": ["study.closed"]}).status_code == 302
    client.post(f"{home}pause/")
    webhook.refresh_from_db()
    assert (webhook.events, webhook.active) == (["study.closed"], False)
    client.post(f"{home}resume/")
    assert Webhook.objects.get().active
    renewed = client.post(f"{home}secret/").content.decode()
    assert Webhook.objects.get().secret in renewed
    assert webhook.told not in renewed
    assert client.get(f"{home}delete/").status_code == 405
    client.post(f"{home}delete/")
    assert not Webhook.objects.exists()


def test_the_log_says_what_went_wrong_and_sends_again(client, waiting, owner):
    with serving(500) as receiver:
        delivery = waiting(receiver.address)
        Delivery.objects.update(attempts=99)
        deliver(delivery.pk)
        client.force_login(owner)
        home = f"/webhooks/{delivery.webhook.uid}/"
        page = client.get(home).content.decode()
        assert "given up" in page
        assert "The receiver answered 500" in page
        assert client.post(f"{home}deliveries/{delivery.uid}/again/").status_code == 302
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == ("waiting", 0)
        assert deliver(delivery.pk) is True
