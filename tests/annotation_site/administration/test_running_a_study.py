"""A study is run from its page in the administration: by buttons, each behind a page that says what will happen."""

from __future__ import annotations

import random
import uuid

import pytest
from auditlog.models import LogEntry
from django.urls import reverse

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.models import Seat
from annotation_site.studies.models import ConsentText, Item, KnownAnswer, Study

pytestmark = pytest.mark.django_db


def page(study: Study, to: str = "") -> str:
    """The address of the study's form, of a move, or of taking back seats."""
    if not to:
        return reverse("admin:studies_study_change", args=[study.pk])
    if to == "release":
        return reverse("admin:studies_study_release", args=[study.pk])
    return reverse("admin:studies_study_move", args=[study.pk, to])


def text(response) -> str:
    return " ".join(response.content.decode().split())


def last_note(study: Study) -> LogEntry:
    return LogEntry.objects.get_for_object(study).latest("id")


def rater(study: Study, number: int) -> Enrolment:
    """One who holds a seat of the study."""
    enrolment = Enrolment.objects.create(rater=Rater.objects.create(pseudonym=f"R-{number}"), study=study)
    assignment.claim_next(enrolment, rng=random.Random(number))
    return enrolment


def test_a_study_goes_its_way_by_buttons_with_reasons(admin_client, make_study):
    study = make_study(opened=False, items=4)
    way = [
        ("open", "draft", "open", "Places to be made: 12, for 4 items with 3 each."),
        ("pause", "open", "paused", "Answers so far: 0."),
        ("resume", "paused", "open", "Places that are free and handed out again: 12."),
        ("close", "open", "closed", "Places without an answer: 12 of 12."),
    ]
    for to, before, after, said in way:
        assert page(study, to) in text(admin_client.get(page(study)))
        assert said in text(admin_client.get(page(study, to)))
        study.refresh_from_db()
        assert study.state == before, "looking moves nothing"
        answer = admin_client.post(page(study, to), {"reason": f"to {to} it"})
        assert answer.url == page(study)
        study.refresh_from_db()
        note = last_note(study)
        assert (study.state, note.changes, note.additional_data["reason"]) == (
            after,
            {"state": [before, after]},
            f"to {to} it",
        )
        assert note.actor.username == "admin"
    shown = text(admin_client.get(page(study)))
    assert not any(page(study, to) in shown for to, *_ in way)


def test_practice_and_checks_are_not_counted_among_the_seats(admin_client, make_study):
    study = make_study(items=4, opened=False)
    item = study.items.first()
    check = Item.objects.create(study=study, generation=item.generation, word=item.word, purpose="gold", position=4)
    KnownAnswer.objects.create(item=check, lowest=1, highest=5)
    assignment.open_study(study)
    study.refresh_from_db()
    person = rater(study, 0)
    assert "0 of 12 places answered, 1 leased out, 1 rater at work now" in text(admin_client.get(page(study)))
    Seat.objects.create(study=study, item=check, round=0, position=4, state="done", enrolment=person)
    assert "0 of 12 places answered" in text(admin_client.get(page(study)))


def test_a_move_sent_twice_or_from_another_state_changes_nothing(admin_client, make_study):
    study = make_study()
    admin_client.post(page(study, "pause"))
    number = LogEntry.objects.count()
    for to in ("pause", "open"):
        answer = admin_client.post(page(study, to), follow=True)
        assert "is paused: nothing was changed" in text(answer)
    assert LogEntry.objects.count() == number
    assert admin_client.post(page(study, "delete")).status_code == 404
    study.refresh_from_db()
    assert study.state == "paused"


def test_what_a_draft_lacks_is_said_with_the_remedy_and_the_way_there(admin_client, make_study):
    study = make_study(items=1, opened=False, check_every=5)
    study.items.all().delete()
    Study.objects.filter(pk=study.pk).update(consent_version="9")
    assert "3 things missing" in text(admin_client.get(page(study)))
    for answer in (admin_client.get(page(study, "open")), admin_client.post(page(study, "open"))):
        shown = text(answer)
        for words in ("has no items", "version 9, which has no text", "asks one check in 5 and has none"):
            assert words in shown
        assert "Places to be made" not in shown
    way_there = f"{reverse('admin:studies_consenttext_add')}?study={study.pk}&version=9"
    assert way_there.replace("&", "&amp;") in shown
    form = admin_client.get(way_there).context["adminform"].form
    assert (form["version"].value(), form["study"].value()) == ("9", str(study.pk))
    study.refresh_from_db()
    assert study.state == "draft"
    assert not ConsentText.objects.exists()


def test_seats_are_taken_back_from_one_rater_or_from_all(admin_client, make_study):
    study = make_study()
    for number in range(3):
        rater(study, number)
    shown = text(admin_client.get(page(study, "release")))
    assert "3 places leased out; 3 raters at work now" in shown
    assert all(f"R-{number}" in shown for number in range(3))
    leased = Seat.objects.filter(state="leased")
    assert admin_client.post(page(study, "release"), {"rater": "R-1", "reason": "  "}).status_code == 422
    for unknown in ({"rater": "R-9"}, {}):
        assert admin_client.post(page(study, "release"), unknown | {"reason": "gone"}).status_code == 422
    assert leased.count() == 3
    for _ in range(2):
        admin_client.post(page(study, "release"), {"rater": "R-1", "reason": "gone"})
    assert sorted(leased.values_list("enrolment__rater__pseudonym", flat=True)) == ["R-0", "R-2"]
    assert "2 places are free again, from all raters." in text(
        admin_client.post(page(study, "release"), {"rater": "everybody", "reason": "the network"}, follow=True)
    )
    assert last_note(study).additional_data == {"reason": "the network"}


def test_an_answer_given_meanwhile_is_kept(admin_client, make_study):
    study = make_study()
    enrolment = rater(study, 0)
    seat = enrolment.seats.get()
    admin_client.post(page(study, "release"), {"rater": "R-0", "reason": "gone"})
    admin_client.post(page(study, "close"))
    now = assignment.database_now()
    given = assignment.record(
        seat=seat, enrolment=enrolment, answer=assignment.Answer(rating=4), key=uuid.uuid4(), shown_at=now, now=now
    )
    assert not given.surplus
