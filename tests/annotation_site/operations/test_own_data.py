"""A rater sees, takes along and erases their own data by their own link, and nobody else's."""

from __future__ import annotations

import json
import random
import uuid

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from annotation_site.operations import rater_data
from annotation_site.payments import queue
from annotation_site.payments.models import Batch, Entry, PayScheme
from annotation_site.payments.settling import settle
from annotation_site.raters import identities
from annotation_site.raters.models import Enrolment
from annotation_site.raters.sources.presets import new_source
from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement
from annotation_site.recruitment.models import Action, ProlificStudy, Submission
from annotation_site.recruitment.submissions import take

pytestmark = pytest.mark.django_db
AGREED = {"consent": "yes"}
SURE = {"sure": "yes"}


def joined(client: Client) -> Enrolment:
    link = client.post("/studies/study/", AGREED)["Location"]
    return Enrolment.objects.select_related("rater", "study").get(token=link.split("/")[2])


def answer(enrolment: Enrolment, rating: int) -> None:
    seat = assignment.claim_next(enrolment, rng=random.Random(0))
    now = assignment.database_now()
    given = assignment.Answer(rating=rating)
    assignment.record(seat=seat, enrolment=enrolment, answer=given, key=uuid.uuid4(), shown_at=now, now=now)


@pytest.fixture
def mine(client, make_study) -> Enrolment:
    make_study(items=3)
    enrolment = joined(client)
    answer(enrolment, 4)
    identities.store(enrolment, "person", "prolific-mine")
    return enrolment


@pytest.fixture
def others(mine) -> Enrolment:
    enrolment = joined(Client())
    answer(enrolment, 2)
    identities.store(enrolment, "person", "prolific-other")
    return enrolment


def at(enrolment: Enrolment, rest: str = "") -> str:
    return f"/rate/{enrolment.token}/data/{rest}"


def test_the_page_says_what_is_stored_and_leads_to_file_and_erasure(client, mine):
    page = client.get(at(mine)).content.decode()
    assert mine.rater.pseudonym in page
    assert "1 answer<" in page
    assert "encrypted" in page
    assert at(mine, "file/") in page
    assert at(mine, "erase/") in page
    assert at(mine) in client.get(f"/rate/{mine.token}/").content.decode()


def test_the_file_holds_all_of_ones_own_and_nothing_that_opens_a_door(client, mine, others):
    PayScheme.objects.create(
        study=mine.study, version=1, currency="USD", per_item=10, made_at=mine.created_at, made_by="rosa"
    )
    Entry.objects.create(
        study=mine.study, enrolment=mine, kind="bonus", amount=5, currency="USD", reason="kind", at=mine.created_at,
        by="rosa",
    )  # fmt: skip
    response = client.get(at(mine, "file/"))
    assert response["Content-Disposition"] == f'attachment; filename="attest-{mine.rater.pseudonym}.json"'
    assert "no-store" in response["Cache-Control"]
    [part] = json.loads(response.content)["enrolments"]
    assert [row["rating"] for row in part["judgement"]] == [4]
    assert part["identity"] == [{"kind": "person", "value": "prolific-mine"}]
    assert [row["amount"] for row in part["entry"]] == [5]
    text = response.content.decode()
    for secret in (mine.token, "rosa", others.token, others.rater.pseudonym, "prolific-other"):
        assert secret not in text


def test_erasing_is_asked_twice_and_says_what_stays(client, mine):
    page = client.get(at(mine, "erase/")).content.decode()
    assert "What was exported or published before" in page
    refused = client.post(at(mine, "erase/"), {"uncount": "yes"})
    assert refused.status_code == 422
    assert "Nothing was erased" in refused.content.decode()
    assert Enrolment.objects.filter(token=mine.token).exists()


def test_erasing_cuts_the_person_off_everywhere(client, mine, others):
    second_browser = Client()
    session = second_browser.session
    session["rater"] = mine.rater.pseudonym
    session.save()
    assert mine.token in second_browser.get("/studies/study/").content.decode()
    done = client.post(at(mine, "erase/"), SURE, follow=True)
    assert "Your data is erased" in done.content.decode()
    left = Enrolment.objects.get(pk=mine.pk)
    assert left.identities.count() == 0
    assert Judgement.objects.counted().filter(enrolment=left).count() == 1
    for browser in (client, second_browser):
        for page in ("/studies/study/", "/privacy/"):
            shown = browser.get(page).content.decode()
            assert left.token not in shown
            assert left.rater.pseudonym not in shown
    assert Enrolment.objects.get(pk=others.pk).token == others.token
    assert identities.reveal(others, "person") == "prolific-other"


def test_answers_count_no_more_when_the_person_wants_that(client, mine):
    client.post(at(mine, "erase/"), SURE | {"uncount": "yes"})
    assert not Judgement.objects.counted().filter(enrolment=mine).exists()


def test_a_dead_link_opens_nothing_and_a_second_click_changes_nothing(client, mine):
    client.post(at(mine, "erase/"), SURE)
    after = Enrolment.objects.values().get(pk=mine.pk)
    assert rater_data.erase_by_link(mine.token, uncount=True, now=assignment.database_now()) is False
    for rest in ("", "file/", "erase/"):
        gone = client.get(at(mine, rest))
        assert gone.status_code == 404
        assert "was erased" in gone.content.decode()
    assert client.post(at(mine, "erase/"), SURE).status_code == 404
    assert Enrolment.objects.values().get(pk=mine.pk) == after


def test_a_revoked_link_opens_nothing(client, mine):
    old = mine.token
    mine.renew_link("lost")
    assert client.get(f"/rate/{old}/data/").status_code == 404
    assert client.post(f"/rate/{old}/data/erase/", SURE).status_code == 404
    assert identities.reveal(mine, "person") == "prolific-mine"


def test_another_site_cannot_send_the_form(mine):
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(at(mine, "erase/"), SURE).status_code == 403
    assert Enrolment.objects.filter(token=mine.token).exists()


def test_the_audit_log_tells_that_and_not_who(client, mine):
    client.post(at(mine, "erase/"), SURE | {"uncount": "yes"})
    entries = LogEntry.objects.filter(additional_data__reason=rater_data.ERASED)
    assert entries.count() == 2
    rater = entries.get(content_type__model="rater")
    assert rater.actor is None
    assert rater.remote_addr is None
    assert mine.rater.pseudonym not in f"{rater.changes} {rater.object_repr}"
    assert "prolific-mine" not in f"{list(entries.values())}"


def test_what_is_still_owed_is_said_and_the_ledger_stays(client, mine):
    PayScheme.objects.create(
        study=mine.study, version=1, currency="USD", per_item=125, made_at=mine.created_at, made_by="rosa"
    )
    paid = Entry.objects.create(
        study=mine.study, enrolment=mine, kind="bonus", amount=25, currency="USD", reason="kind", at=mine.created_at
    )
    assert "You are still to be paid 1.50 USD" in client.get(at(mine, "erase/")).content.decode()
    client.post(at(mine, "erase/"), SURE)
    assert Entry.objects.get(pk=paid.pk).enrolment_id == mine.pk


@pytest.fixture
def submission(mine) -> Submission:
    """What Prolific knows of my part, which it was told to pay nothing for."""
    mine.arrived_by, mine.place = new_source(mine.study, "prolific", "prolific"), 1
    mine.arrived_by.save()
    mine.save()
    study = ProlificStudy.objects.create(source=mine.arrived_by, prolific_id="S1", reward=200, places=1, minutes=5)
    now = assignment.database_now()
    made = Submission.objects.create(
        prolific_study=study, submission_id="SUB1", enrolment=mine, status="REJECTED", status_at=now
    )
    Action.objects.create(
        submission=made, kind="reject", key="no", category="OTHER", message="Of you.", state="done", made_at=now
    )
    return made


def test_who_was_paid_nothing_is_cut_off_from_the_number_of_their_part(client, mine, submission):
    assert "SUB1" in client.get(at(mine, "file/")).content.decode()
    assert "The number that a recruiting site gave to your part" in client.get(at(mine, "erase/")).content.decode()
    client.post(at(mine, "erase/"), SURE)
    assert not Submission.objects.filter(enrolment__isnull=False).exists()
    assert not Action.objects.filter(submission__enrolment=mine).exists()
    # Prolific's list ties them to nobody again.
    take(submission.prolific_study, {"id": "SUB1", "participant": "prolific-mine", "status": "REJECTED"},
         now=assignment.database_now())  # fmt: skip
    assert Submission.objects.get().enrolment is None


@pytest.mark.parametrize("left", ["owed", "paid", "to be told"])
def test_where_money_is_concerned_the_number_stays(client, mine, submission, left):
    scheme = PayScheme.objects.create(
        study=mine.study, version=1, currency="GBP", per_item=200 if left == "owed" else 0, made_at=mine.created_at,
        made_by="rosa",
    )  # fmt: skip
    entry = {"study": mine.study, "enrolment": mine, "currency": "GBP", "at": mine.created_at, "way": "prolific"}
    if left == "paid":
        batch = Batch.objects.create(study=mine.study, number=1, digest="d", made_at=mine.created_at, made_by="rosa")
        settle(
            Entry.objects.create(kind="approval", amount=50, scheme=scheme, batch=batch, **entry),
            reference="r", by="rosa", now=mine.created_at,
        )  # fmt: skip
    elif left == "to be told":
        queue.send(Entry.objects.create(kind="rejection", amount=0, reason="no", **entry), now=mine.created_at)
    client.post(at(mine, "erase/"), SURE)
    assert Submission.objects.get().enrolment_id == mine.pk


def test_the_privacy_page_leads_those_whom_it_knows_to_their_own(client, mine, settings):
    settings.ATTEST_CONTACT = "privacy@example.org"
    page = client.get("/privacy/").content.decode()
    assert at(mine) in page
    assert "privacy@example.org" in page
    assert "open your own link" in Client().get("/privacy/").content.decode()
    client.force_login(User.objects.create_user("rosa"))
    assert client.get("/privacy/").status_code == 200
