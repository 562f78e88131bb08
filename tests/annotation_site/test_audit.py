"""Who changed what, when, from what to what, and why; by people, commands and the study's own checks."""

from __future__ import annotations

import random
import sys

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client

from annotation_site import audit
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.studies.copying import copy_study
from annotation_site.studies.members import add_member, remove_member
from annotation_site.studies.models import KnownAnswer, Study
from tests.annotation_site.processes import start

pytestmark = pytest.mark.django_db


def entries(row) -> list[LogEntry]:
    return list(LogEntry.objects.get_for_object(row).order_by("id"))


def last(row) -> LogEntry:
    return entries(row)[-1]


def test_each_move_of_a_study_is_noted_once(make_study):
    study = make_study(opened=False)
    before = len(entries(study))
    assignment.open_study(study, reason="all is there")
    assignment.pause_study(study, reason="lunch")
    assignment.pause_study(study, reason="lunch again")
    assignment.open_study(study)
    assignment.close_study(study, reason="enough")
    moves = [(entry.changes["state"], (entry.additional_data or {}).get("reason")) for entry in entries(study)[before:]]
    assert moves == [
        (["draft", "open"], "all is there"),
        (["open", "paused"], "lunch"),
        (["paused", "open"], None),
        (["open", "closed"], "enough"),
    ]


def test_raters_items_and_seats_are_noted_with_the_reason(make_study):
    study = make_study()
    enrolment = Enrolment.objects.create(rater=Rater.objects.create(), study=study)
    now = assignment.database_now()
    assignment.claim_next(enrolment, rng=random.Random(0))
    assert assignment.take_back(enrolment, reason="they are gone") == 1
    assert last(enrolment).changes == {"leased_seats": ["1", "0"]}
    assert enrolment.exclude("answered at random", now)
    assert not enrolment.exclude("another reason", now)
    assert last(enrolment).additional_data == {"reason": "answered at random"}
    assert enrolment.exclusion_reason == "answered at random"
    assert enrolment.restore("a mistake of ours")
    assert not enrolment.restore("twice")
    assert last(enrolment).changes == {"exclusion_reason": ["answered at random", ""]}
    assert last(enrolment).additional_data == {"reason": "a mistake of ours"}
    item = study.items.first()
    assignment.withdraw_item(item, reason="nothing is to be seen")
    assignment.put_item_back(item, reason="it was another")
    assert [entry.additional_data["reason"] for entry in entries(item)] == ["nothing is to be seen", "it was another"]
    assignment.claim_next(enrolment, rng=random.Random(0))
    assert assignment.release_study(study, reason="the network was down") == 1
    assert last(study).changes == {"leased_seats": ["1", "0"]}


def test_members_and_copies_are_noted_in_the_studys_history(make_study):
    study, vera = make_study(items=1), User.objects.create_user("vera")
    rosa = User.objects.create_user("rosa")
    add_member(study, "rosa", "researcher")
    add_member(study, "vera", "viewer")
    add_member(study, "vera", "viewer")
    add_member(study, "vera", "researcher")
    remove_member(study, study.members.get(user=rosa).pk)
    with pytest.raises(ValidationError):
        remove_member(study, study.members.get(user=vera).pk)
    assert [entry.changes for entry in entries(study)][-4:] == [
        {"member rosa": ["", "researcher"]},
        {"member vera": ["", "viewer"]},
        {"member vera": ["viewer", "researcher"]},
        {"member rosa": ["researcher", ""]},
    ]
    copy = copy_study(study, slug="again", title="Again", owner=vera, with_items=True)
    assert last(copy).changes == {"copy_of": ["", "study"]}
    assert last(copy).additional_data == {"reason": "with its items"}


def test_what_was_undone_is_not_noted(make_study):
    study = make_study(opened=False, items=1)
    study.items.all().delete()
    before = LogEntry.objects.count()
    with pytest.raises(assignment.StudyNotReady):
        assignment.open_study(study)
    assert LogEntry.objects.count() == before


def test_no_link_code_or_password_is_in_it(make_study, admin_client):
    study = make_study(completion_code="CANARY1", screen_out_code="CANARY2")
    study.completion_code = "CANARY3"
    study.save()
    enrolment = Enrolment.objects.create(
        rater=Rater.objects.create(), study=study, token="CANARY4", external_hash="CANARY5"
    )
    enrolment.exclude("asked to leave", assignment.database_now())
    user = User.objects.create_user("someone", email="canary@example.org", password="CANARY6-long-enough")
    user.set_password("CANARY7-long-enough")
    user.save()
    assert last(study).changes == {"completion_code": ["[hidden]", "[hidden]"]}
    assert "canary" not in str(list(LogEntry.objects.values())).lower()
    assert user.password not in str(list(LogEntry.objects.values()))


def test_the_signed_in_user_and_the_request_are_named(make_study, admin_client):
    study = make_study(opened=False)
    form = admin_client.get(f"/admin/studies/study/{study.pk}/change/").context["adminform"].form
    shown = {field.name: field.value() for field in form}
    fields = {name: value for name, value in shown.items() if value is not None and value is not False}
    answer = admin_client.post(f"/admin/studies/study/{study.pk}/change/", fields | {"break_every": 7})
    entry = last(study)
    assert entry.changes == {"break_every": ["0", "7"]}
    assert (entry.actor.username, entry.cid) == ("admin", answer["X-Request-ID"])
    assert entry.remote_addr is None
    Study.objects.get(pk=study.pk).save()
    assert last(study) == entry
    assert entry.actor_email is None


def test_a_rater_who_is_excluded_by_checks_is_excluded_by_the_study(make_study):
    study = make_study(check_consequence="exclude", checks_may_fail=0)
    rater = Enrolment.objects.create(rater=Rater.objects.create(), study=study, token="t" * 32)
    item = study.items.first()
    item.purpose = "gold"
    item.save()
    KnownAnswer.objects.create(item=item, lowest=5, highest=5)
    seat = item.seats.first()
    type(seat).objects.filter(pk=seat.pk).update(state="leased", enrolment=rater, leased_until="2099-01-01T00:00Z")
    page = Client().get(f"/rate/{rater.token}/")
    fields = {name: str(page.context[name]) for name in ("ticket", "key")}
    Client().post(f"/rate/{rater.token}/", fields | {"answer": "1"})
    entry = last(rater)
    assert entry.actor is None
    assert entry.additional_data["by"] == "the study's checks"
    assert "failed 1 of 1 checks" in entry.additional_data["reason"]


def test_raters_cost_the_log_nothing(make_study, client):
    study = make_study()
    before = LogEntry.objects.count()
    client.post(f"/studies/{study.slug}/", {"consent": "yes"})
    enrolment = Enrolment.objects.get()
    page = client.get(f"/rate/{enrolment.token}/")
    fields = {name: str(page.context[name]) for name in ("ticket", "key")}
    client.post(f"/rate/{enrolment.token}/", fields | {"answer": "4"})
    assert LogEntry.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_a_command_is_named_with_the_account_that_runs_it(make_study, tmp_path):
    study = make_study(opened=False)
    done = start(sys.executable, "manage.py", "open_study", study.slug, data=tmp_path, LOGNAME="someone")
    assert "is open" in done.said(60)
    assert last(study).additional_data == {"by": "manage.py open_study (someone)"}
    assert last(study).changes == {"state": ["draft", "open"]}


def test_a_commands_options_are_not_in_its_name():
    assert audit.command(["/srv/manage.py", "backup", "--password", "canary"]).startswith("manage.py backup (")


def test_an_account_without_a_name_is_no_fault(monkeypatch):
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr(audit.getpass, "getuser", nobody)
    assert audit.command(["manage.py", "doctor"]) == "manage.py doctor (an account without a name)"
