"""A rater's data are handed out whole, and erased so that nothing tells whose answers they were."""

from __future__ import annotations

import io
import json
import random
import uuid

import pytest
from auditlog.models import LogEntry
from django.core.management import CommandError, call_command

from annotation_site.raters import identities
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement, Seat
from annotation_site.webhooks.changes import register
from annotation_site.webhooks.events import write_down
from annotation_site.webhooks.models import Delivery, Event, Webhook


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("rater_data", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def enrolment(make_study) -> Enrolment:
    study = make_study(items=3)
    enrolments = [
        Enrolment.objects.create(rater=Rater.objects.create(), study=study, external_hash=name, locale="ko")
        for name in ("hashed", "another")
    ]
    for place, one in enumerate(enrolments):
        seat = assignment.claim_next(one, rng=random.Random(0))
        now = assignment.database_now()
        assignment.record(
            seat=seat,
            enrolment=one,
            answer=assignment.Answer(rating=4 - place),
            key=uuid.uuid4(),
            shown_at=now,
            now=now,
        )
        identities.store(one, "person", f"prolific-{place}")
    Judgement.objects.update(viewport="360x640@2", locale="ko")
    return enrolments[0]


def test_all_that_is_stored_of_a_rater_is_handed_out_and_nothing_of_another(enrolment):
    data = json.loads(told(enrolment.rater.pseudonym))
    [part] = data["enrolments"]
    assert (part["study"], part["link"], part["locale"]) == ("study", f"/rate/{enrolment.token}/", "ko")
    assert [row["rating"] for row in part["judgement"]] == [4]
    assert part["identity"] == [{"kind": "person", "value": "prolific-0"}]
    assert "prolific-1" not in json.dumps(data)


def test_erasing_leaves_the_answers_and_nothing_of_the_person(enrolment, client):
    assignment.claim_next(enrolment, rng=random.Random(1))
    told(f"https://attest.example/rate/{enrolment.token}/", "--erase")
    left = Enrolment.objects.get(pk=enrolment.pk)
    assert left.rater.pseudonym != enrolment.rater.pseudonym
    assert (left.external_hash, left.locale, left.identities.count()) == ("", "", 0)
    assert client.get(f"/rate/{enrolment.token}/").status_code == 404
    [judgement] = Judgement.objects.counted().filter(enrolment=left)
    assert (judgement.rating, judgement.viewport, judgement.locale) == (4, "", "")
    assert not Seat.objects.filter(enrolment=left, state=Seat.State.LEASED).exists()
    other = Enrolment.objects.exclude(pk=left.pk).get()
    assert (other.external_hash, identities.reveal(other, "person")) == ("another", "prolific-1")
    assert other.judgements.get().viewport == "360x640@2"


def test_the_old_pseudonym_is_told_nowhere_any_more(enrolment, django_user_model):
    enrolment.exclude("at random", assignment.database_now())
    enrolment.restore("our mistake")
    enrolment.complete()
    webhook, _secret = register(
        django_user_model.objects.create_superuser("ada"),
        address="https://example.org/hook",
        events=[Event.COMPLETED],
    )
    Webhook.objects.update(created_at=enrolment.created_at)
    webhook.refresh_from_db()
    assert write_down(webhook, assignment.database_now()) == 1
    old = enrolment.rater.pseudonym
    told(old, "--erase")
    new = Rater.objects.get(enrolments=enrolment).pseudonym
    assert set(LogEntry.objects.get_for_object(enrolment).values_list("object_repr", flat=True)) == {f"{new} in study"}
    assert not LogEntry.objects.filter(object_repr__contains=old).exists()
    assert Delivery.objects.get().data == {"rater": new, "simulated": False}


def test_answers_are_not_counted_any_more_when_the_person_wants_that(enrolment):
    told(enrolment.rater.pseudonym, "--erase", "--uncount")
    assert not Judgement.objects.counted().filter(enrolment=enrolment).exists()
    assert Judgement.objects.filter(enrolment=enrolment).exists()


def test_nothing_is_done_to_whoever_is_not_there(db):
    with pytest.raises(CommandError, match="No rater has this"):
        told("R-NOBODY", "--erase")
    with pytest.raises(CommandError, match="goes with --erase"):
        told("R-NOBODY", "--uncount")
