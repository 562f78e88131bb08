"""The administration: every list and every row opens, history is read-only, and the actions act."""

from __future__ import annotations

import random
import uuid
from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse

from annotation_site.raters.models import Enrolment, PracticeAnswer, Rater
from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement, Seat
from annotation_site.stimuli.models import Generation, Prompt, Recipe, Word, Worker
from annotation_site.studies.models import ConsentText, Item, KnownAnswer, Study

OURS = [model for model in admin.site._registry if model.__module__.startswith("annotation_site.")]
HISTORY = [Judgement, Seat, Generation, Prompt, Word, Recipe, Rater, Item, Enrolment]


@pytest.fixture
def rated_study(make_study):
    study = make_study(items=4)
    enrolment = Enrolment.objects.create(rater=Rater.objects.create(), study=study)
    seat = assignment.claim_next(enrolment, rng=random.Random(0))
    now = assignment.database_now()
    assignment.record(
        seat=seat, enrolment=enrolment, answer=assignment.Answer(rating=4), key=uuid.uuid4(), shown_at=now, now=now
    )
    Worker.objects.create(name="gpu:1", host="gpu", token="t", kind="celery", started_at=now, last_seen=now)
    ConsentText.objects.create(study=study, version="own", text="We keep your answers.")
    return study


def changelist(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def change(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def act(client, name: str, row) -> str:
    data = {"action": name, "_selected_action": [row.pk]}
    return client.post(changelist(type(row)), data, follow=True).content.decode()


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_list_search_and_row_opens(admin_client, rated_study, model):
    for query in ("", "?q=red"):
        assert admin_client.get(changelist(model) + query).status_code == 200
    assert admin_client.get(change(model.objects.first())).status_code == 200


@pytest.mark.parametrize("model", HISTORY, ids=lambda model: model.__name__)
def test_history_cannot_be_changed_added_or_deleted(admin_client, rated_study, model):
    row = model.objects.first()
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert admin_client.post(change(row), {"rating": 1}).status_code == 403
    assert admin_client.get(reverse(f"{name}_add")).status_code == 403
    assert admin_client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_visitors_are_sent_to_the_login(client, db, model):
    assert client.get(changelist(model)).status_code == 302


def test_what_answers_depend_on_is_fixed_once_a_study_is_open(admin_client, rated_study):
    form = {
        "title": "Another title",
        "lease_minutes": 20,
        "completion_code": "CODE",
        "consent_version": "1",
        "break_every": 30,
        "seats_per_item": 9,
        "cap_share": 1,
        "stimuli_access": "public",
    }
    assert admin_client.post(change(rated_study), form).status_code == 302
    rated_study.refresh_from_db()
    assert (rated_study.title, rated_study.seats_per_item, rated_study.kind) == ("Another title", 3, "likert")
    assert admin_client.get(reverse("admin:studies_study_delete", args=[rated_study.pk])).status_code == 403


def filled(client, row, **changes) -> dict:
    """The form of a row as the admin shows it, with changes."""
    form = client.get(change(row)).context["adminform"].form
    shown = {field.name: field.value() for field in form}
    return {name: value for name, value in shown.items() if value is not None and value is not False} | changes


def test_a_drafts_way_and_texts_are_set_in_its_form(admin_client, make_study):
    study = make_study(opened=False)
    page = admin_client.get(change(study)).content.decode()
    assert "question_en" in page
    texts = {"question_en": "Is it so?", "anchors_en": "No\nHardly\nHalf\nMostly\nYes"}
    way = {"first_view": "beside", "colours": "cividis", "check_every": 10, "practice_pass_mark": 60}
    assert admin_client.post(change(study), filled(admin_client, study, **texts, **way)).status_code == 302
    study.refresh_from_db()
    assert study.texts == {"en": {"question": "Is it so?", "anchors": ["No", "Hardly", "Half", "Mostly", "Yes"]}}
    assert (study.first_view, study.colours, study.check_every, study.practice_pass_mark) == (
        "beside",
        "cividis",
        10,
        60,
    )
    assert "No\nHardly" in admin_client.get(change(study)).content.decode()


def test_a_drafts_texts_in_languages_without_fields_stay(admin_client, make_study):
    study = make_study(opened=False)
    german = {"question": "Stimmt das?"}
    Study.objects.update(texts={"de": german, "ko": {"question": "그렇습니까?"}})
    sent = filled(admin_client, study, question_en="Is it so?", question_ko="")
    assert admin_client.post(change(study), sent).status_code == 302
    study.refresh_from_db()
    assert study.texts == {"de": german, "en": {"question": "Is it so?"}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"anchors_en": "Bad\nGood"}, "There are 2 lines"),
        ({"consent_version": "9"}, "has no text"),
        ({"practice_pass_mark": 101}, "less than or equal to 100"),
        ({"practice_attempts": 0}, "greater than or equal to 1"),
    ],
)
def test_a_draft_says_what_is_wrong_with_it(admin_client, make_study, wrong, said):
    study = make_study(opened=False)
    response = admin_client.post(change(study), filled(admin_client, study, **wrong))
    assert response.status_code == 200
    assert said in response.content.decode()


def test_the_enrolments_show_practice_and_checks(admin_client, rated_study, django_assert_max_num_queries):
    study, enrolment = rated_study, Enrolment.objects.get()
    rated = study.items.first()
    now = assignment.database_now()
    for purpose, rating in (("practice", 5), ("gold", 1)):
        kept = {"generation": rated.generation, "word": rated.word, "purpose": purpose}
        item = Item.objects.create(study=study, position=10 + rating, **kept)
        KnownAnswer.objects.create(item=item, lowest=4, highest=5)
        if purpose == "practice":
            PracticeAnswer.objects.create(
                enrolment=enrolment, item=item, rating=rating, acceptable=True, answered_at=now
            )
            continue
        seat = Seat.objects.create(study=study, item=item, round=1000, position=0, state="done", enrolment=enrolment)
        Judgement.objects.create(
            seat=seat, enrolment=enrolment, key=uuid.uuid4(), rating=rating, shown_at=now, answered_at=now
        )
    with django_assert_max_num_queries(20):
        page = admin_client.get(changelist(Enrolment)).content.decode()
    for words in ("practising", "1 of 1, attempt 1", "0 passed, 1 failed"):
        assert words in page
    page = admin_client.get(change(enrolment)).content.decode()
    assert f"item {item.pk}: map known for" in page
    assert "4 to 5, answered 1" in page


def test_failed_generations_are_queued_again(admin_client, make_study):
    make_study(opened=False, done=False)
    generation = Generation.objects.first()
    Generation.objects.filter(pk=generation.pk).update(state="failed", error="out of memory")
    assert "1 failed generations are queued again" in act(admin_client, "retry_failed", generation)
    generation.refresh_from_db()
    assert generation.state == "queued"


def test_a_studys_images_are_paused_resumed_tried_again_and_moved_in_the_queue(admin_client, make_study):
    study = make_study(items=2, opened=False, done=False)
    held = Generation.objects.filter(held=True)
    act(admin_client, "pause_drawing", study)
    assert held.count() == 2
    act(admin_client, "resume_drawing", study)
    assert held.count() == 0
    act(admin_client, "draw_urgent", study)
    assert set(Generation.objects.values_list("priority", flat=True)) == {Study.Priority.URGENT}
    Generation.objects.update(state="failed", error="out of memory")
    assert "0 of 2, 2 failed, first" in admin_client.get(changelist(Study)).content.decode()
    assert "2 failed images are queued again" in act(admin_client, "retry_drawing", study)
    assert set(Generation.objects.values_list("state", flat=True)) == {"queued"}


def test_workers_are_listed_with_what_they_do_and_how_fast(admin_client, rated_study):
    worker = Worker.objects.get()
    now = assignment.database_now()
    Generation.objects.update(made_by=worker, done_at=now)
    assert "waits for work" in admin_client.get(changelist(Worker)).content.decode()
    assert f"{Generation.objects.count() / 300:.2f}" in admin_client.get(changelist(Worker)).content.decode()
    Worker.objects.update(last_seen=now - timedelta(minutes=4))
    assert "silent: killed" in admin_client.get(changelist(Worker)).content.decode()


def test_the_admin_alone_has_a_looser_content_policy(admin_client, rated_study):
    inside = admin_client.get(reverse("admin:index")).headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in f"{inside};"
    assert "style-src 'self' 'unsafe-inline';" in f"{inside};"
    assert "default-src 'none'" in inside
    token = Enrolment.objects.get().token
    for address in ("/", "/studies/study/", f"/rate/{token}/", "/research/", "/reports/study/", "/accounts/tokens/"):
        outside = admin_client.get(address).headers["Content-Security-Policy"]
        sources = {source for part in outside.split(";") for source in part.split()[1:]}
        assert sources == {"'none'", "'self'"}, address


def test_a_link_is_revoked_and_the_new_one_shown(admin_client, client, rated_study):
    enrolment = Enrolment.objects.get()
    shown = act(admin_client, "revoke_links", enrolment)
    renewed = Enrolment.objects.get().token
    assert f"/rate/{renewed}/" in shown
    assert enrolment.token not in shown
    answered = [client.get(f"/rate/{token}/").status_code for token in (enrolment.token, renewed)]
    assert answered[0] == 404
    assert answered[1] < 400


@pytest.mark.parametrize("address", ["/admin/raters/rater/?q=%00", "/admin/studies/item/%00/change/"])
def test_an_address_with_a_nul_is_refused(admin_client, address):
    assert admin_client.get(address).status_code == 400
