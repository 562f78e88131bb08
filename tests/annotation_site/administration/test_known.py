"""Practice and checks of a study: added to and removed from a draft, and how raters do on them."""

from __future__ import annotations

import uuid

import pytest
from auditlog.models import LogEntry
from django.urls import reverse

from annotation_site.raters.models import Enrolment, PracticeAnswer, Rater
from annotation_site.rating import assignment
from annotation_site.rating.known import shown
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item, Study

pytestmark = pytest.mark.django_db
GOOD = {"purpose": "practice", "position": 0, "lowest": 4, "highest": 5, "reason_en": "It is there."}


def page(study: Study) -> str:
    return reverse("admin:studies_study_known", args=[study.pk])


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_items_are_added_to_a_draft_and_removed(admin_client, make_study):
    study = make_study(opened=False)
    admin_client.post(page(study), GOOD)
    # Sent twice it is there once.
    admin_client.post(page(study), GOOD)
    admin_client.post(
        page(study), {"purpose": "gold", "position": 1, "word": "dog", "other": "red", "lowest": 1, "highest": 2}
    )
    admin_client.post(page(study), {"purpose": "instructed", "position": 2, "lowest": 2, "highest": 2})
    known = {item.purpose: item for item in study.items.exclude(purpose="").select_related("known", "map_word")}
    assert sorted(known) == ["gold", "instructed", "practice"]
    assert known["practice"].known.reasons == {"en": "It is there."}
    assert (known["gold"].word.text, known["gold"].map_word.text) == ("dog", "red")
    listed = text(admin_client.get(page(study)))
    assert "map of red" in listed
    assert "“Good” or “Excellent”" in listed
    assert LogEntry.objects.get_for_object(known["gold"].known).get().actor.username == "admin"
    for said in ("Removed: dog in", "It was removed before"):
        assert said in text(admin_client.post(page(study), {"remove": known["gold"].pk}, follow=True))
    assert study.items.filter(purpose="gold").count() == 0
    rated = study.items.filter(purpose="").first()
    admin_client.post(page(study), {"remove": rated.pk})
    assert study.items.filter(pk=rated.pk).exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"position": 99}, "no item in use at this position"),
        ({"word": "cat"}, "“cat” is not a word of it"),
        ({"other": "cat"}, "“cat” is not a word of it"),
        ({"lowest": 5, "highest": 4}, "the lower one first"),
        ({"lowest": ""}, "the lower one first"),
        ({"lowest": "", "highest": ""}, "Say which answers are right."),
        ({"purpose": "instructed"}, "An instructed check names one answer"),
        ({"highest": 6}, "less than or equal to 5"),
    ],
)
def test_what_is_no_known_answer_is_refused_in_words(admin_client, make_study, wrong, said):
    study = make_study(opened=False)
    answer = admin_client.post(page(study), GOOD | wrong)
    assert answer.status_code == 422
    assert said in text(answer)
    assert not study.items.exclude(purpose="").exists()


def test_presence_has_its_own_answers_and_change_has_none(admin_client, make_study, make_changes):
    study = make_study(kind="presence", opened=False, slug="another")
    admin_client.post(page(study), {"purpose": "gold", "position": 0, "present": "second"})
    known = study.items.get(purpose="gold").known
    assert (known.first_present, known.second_present) == (False, True)
    changes = make_changes()
    assert "Nobody knows what changed" in text(admin_client.get(page(changes)))


def test_an_open_study_keeps_what_its_raters_met(admin_client, make_study):
    study = make_study(opened=False)
    admin_client.post(page(study), GOOD)
    assignment.open_study(study)
    item = study.items.get(purpose="practice")
    assert "before it opens" in text(admin_client.post(page(study), GOOD | {"position": 1}))
    assert "Withdraw it" in text(admin_client.post(page(study), {"remove": item.pk}, follow=True))
    assert list(study.items.exclude(purpose="")) == [item]
    way = reverse("admin:studies_item_do", args=["withdraw"]) + f"?ids={item.pk}"
    assert way in text(admin_client.get(page(study)))


def test_the_shares_are_those_of_the_answers(admin_client, make_study, django_assert_max_num_queries):
    study = make_study(opened=False)
    for fields in (GOOD, {"purpose": "gold", "position": 1, "lowest": 1, "highest": 2}):
        admin_client.post(page(study), fields)
    assignment.open_study(study)
    practice, gold = (study.items.get(purpose=purpose) for purpose in ("practice", "gold"))
    now = assignment.database_now()
    # Of practice the first attempts: right, right, wrong. Of gold: right, wrong, opted out, and a revised answer.
    for number, (fitted, given) in enumerate(
        [(True, {"rating": 1}), (True, {"rating": 5}), (False, {"opt_out": "image_too_poor"})]
    ):
        rater = Enrolment.objects.create(rater=Rater.objects.create(), study=study)
        kept = {"enrolment": rater, "item": practice, "answered_at": now}
        PracticeAnswer.objects.create(attempt=1, rating=3, acceptable=fitted, **kept)
        PracticeAnswer.objects.create(attempt=2, rating=4, acceptable=True, **kept)
        seat = Seat.objects.create(study=study, item=gold, round=number, position=0, state="done", enrolment=rater)
        sent = {"seat": seat, "enrolment": rater, "shown_at": now, "answered_at": now}
        Judgement.objects.create(key=uuid.uuid4(), revision=1, current=False, rating=2, **sent)
        Judgement.objects.create(key=uuid.uuid4(), revision=2, **given, **sent)
    with django_assert_max_num_queries(5):
        tallies = {row.item.purpose: row.tally for row in shown(study)}
    assert (tallies["practice"].right, tallies["practice"].wrong, tallies["practice"].share) == (2, 1, 67)
    assert (tallies["gold"].right, tallies["gold"].wrong, tallies["gold"].opted_out) == (1, 1, 1)
    assert tallies["gold"].share == 50
    listed = text(admin_client.get(page(study)))
    assert "67%" in listed
    assert "+ 1 opted out" in listed
    assert Item.objects.filter(study=study).count() == 6
