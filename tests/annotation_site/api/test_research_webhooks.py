"""/api/v1/research/webhooks/ : the same as on the page, by a program."""

from __future__ import annotations

import uuid

import pytest

from annotation_site.rating import assignment
from annotation_site.webhooks.events import write_down
from annotation_site.webhooks.models import Webhook
from tests.annotation_site.api.researchers import Research, researcher

pytestmark = pytest.mark.django_db
NEW = {"address": "https://example.org/hook", "events": ["study.paused"], "study": "study"}


def test_a_webhook_is_registered_once_and_its_secret_told_once(make_study, research):
    program, key = research(make_study()), uuid.uuid4()
    first, again = (program.once("webhooks/", NEW, key) for _ in range(2))
    webhook = Webhook.objects.get()
    assert (first.status_code, first.json()["secret"]) == (201, webhook.secret)
    assert first.json() == again.json()
    [listed] = program.get("webhooks/").json()["results"]
    assert "secret" not in listed
    assert listed == {name: value for name, value in first.json().items() if name != "secret"}
    renewed = program.once(f"webhooks/{webhook.uid}/secret/").json()["secret"]
    assert renewed == Webhook.objects.get().secret != webhook.secret


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"study": "no-such-study"}, 404), ({"study": None}, 201), ({"events": []}, 400), ({"events": ["x"]}, 400),
        ({"address": "nowhere"}, 400), ({"measure": "agreement", "below": 0.3}, 400), ({"colour": "red"}, 400),
        ({"events": ["report.threshold"], "measure": "agreement", "below": 0.3}, 201),
        ({"address": "https://example.org/\x00"}, 400), ({"address": "https://[::1/"}, 400),
    ],
)  # fmt: skip
def test_what_can_be_registered(make_study, research, change, status):
    assert research(make_study()).once("webhooks/", NEW | change).status_code == status


def test_in_production_the_inside_is_refused(make_study, research, settings):
    settings.WEBHOOKS_ANYWHERE = False
    program = research(make_study())
    for address in ("https://169.254.169.254/", "http://example.org/"):
        assert list(program.once("webhooks/", NEW | {"address": address}).json()["errors"]) == ["address"]


def test_it_is_changed_and_deleted_under_its_tag(make_study, research):
    program = research(make_study())
    path = f"webhooks/{program.once('webhooks/', NEW).json()['id']}/"
    tag = program.get(path)["ETag"]
    assert program.send("patch", path, {"active": False}).status_code == 428
    changed = program.send("patch", path, {"active": False}, **{"If-Match": tag})
    assert (changed.status_code, changed.json()["active"]) == (200, False)
    assert program.send("delete", path, **{"If-Match": tag}).status_code == 412
    assert program.send("patch", path, {"study": None}, **{"If-Match": changed["ETag"]}).status_code == 400
    assert program.send("delete", path, **{"If-Match": changed["ETag"]}).status_code == 204
    assert program.get(path).status_code == 404


def test_the_log_is_read_and_a_delivery_sent_again(make_study, research):
    study = make_study()
    program = research(study)
    home = f"webhooks/{program.once('webhooks/', NEW).json()['id']}/"
    assignment.pause_study(study)
    write_down(Webhook.objects.get(), assignment.database_now())
    [sent] = program.get(f"{home}deliveries/?state=waiting&event=study.paused").json()["results"]
    assert (sent["study"], sent["data"], sent["attempts"]) == ("study", {"state": "paused"}, 0)
    Webhook.objects.get().deliveries.update(state="failed", attempts=8, last_error="no")
    again = program.post(f"{home}deliveries/{sent['id']}/redeliver/").json()
    assert (again["id"], again["state"], again["attempts"]) == (sent["id"], "waiting", 0)
    assert program.get(f"{home}deliveries/?state=failed").json()["results"] == []


def test_other_peoples_webhooks_do_not_exist(make_study, research):
    mine = research(make_study()).once("webhooks/", NEW).json()["id"]
    stranger = Research(researcher("eve"))
    assert stranger.once("webhooks/", NEW).status_code == 404
    assert stranger.get("webhooks/").json()["results"] == []
    for path in ("", "deliveries/"):
        assert stranger.get(f"webhooks/{mine}/{path}").status_code == 404
    assert stranger.once(f"webhooks/{mine}/secret/").status_code == 404
    reading = research(scopes=("read:studies", "read:reports"))
    assert reading.get("webhooks/").status_code == 403
