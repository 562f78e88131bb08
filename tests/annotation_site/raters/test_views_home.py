"""GET / : the open studies."""

from __future__ import annotations

import random
import uuid

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.assignment import Answer, claim_next, record
from annotation_site.stimuli.models import Recipe
from annotation_site.studies.models import StudyOrder

pytestmark = pytest.mark.django_db


def test_without_a_study_it_says_what_to_do(client):
    page = client.get("/").content.decode()
    assert "No study is open at the moment." in page
    assert "sample_pairs" not in page


def test_admins_are_told_how_to_make_a_study_and_find_the_administration(client):
    client.force_login(User.objects.create_superuser("admin"))
    page = client.get("/").content.decode()
    assert "sample_pairs" in page
    assert reverse("admin:index") in page


def test_it_lists_open_studies_alone_with_minutes_and_answers(client, make_study, django_assert_max_num_queries):
    # 16 items of 12 seconds: 192 s, four minutes begun.
    study = make_study(items=16, seats_per_item=3)
    study.seats.filter(round=0, position__lt=5).delete()
    make_study(slug="draft", opened=False, done=False)
    with django_assert_max_num_queries(4):
        response = client.get("/")
    assert [(shown.slug, minutes) for shown, minutes in response.context["studies"]] == [("study", 4)]
    page = response.content.decode()
    assert "about 4 minutes" in page
    assert "0 answers so far" in page
    assert reverse("join", args=["study"]) in page


def test_a_study_that_is_not_listed_is_open_by_its_address_alone(client, make_study):
    make_study(listed=False)
    assert "/studies/study/" not in client.get("/").content.decode()
    assert client.get("/studies/study/").status_code == 200


def test_researchers_are_told_where_to_sign_in(client):
    page = client.get("/").content.decode()
    assert page.count("Researchers: sign in") == 2
    client.force_login(User.objects.create_user("rosa"))
    page = client.get("/").content.decode()
    assert "Researchers: sign in" not in page
    assert reverse("research-home") in page


def test_minutes_follow_the_cap(client, make_study):
    # 20 items x 1 seat at a share of 0.25: no rater judges more than 5 pictures, 60 seconds.
    make_study(items=20, seats_per_item=1, cap_share=0.25)
    assert "about 1 minute<" in client.get("/").content.decode()


def test_minutes_follow_what_answers_took_and_a_new_study_is_planned_with_the_same(client, make_study):
    study = make_study(items=4, seats_per_item=3)
    make_study(items=4, slug="presence", kind="presence")
    # Per answer 20, 30 and 40 s; a program's 1 s, a revised 300 s and one that no browser measured count for nothing.
    for number, (seconds, simulated) in enumerate([(20, False), (30, False), (40, False), (1, True), (None, False)]):
        enrolment = Enrolment.objects.create(rater=Rater.objects.create(simulated=simulated), study=study)
        seat = claim_next(enrolment, rng=random.Random(number))
        milliseconds = seconds and 1000 * seconds
        for key in (uuid.uuid4(), uuid.uuid4()):
            given = {"answer": Answer(rating=3), "key": key, "shown_at": timezone.now()}
            taken = 300_000 if milliseconds and not seat.judgements.exists() else milliseconds
            record(seat=seat, enrolment=enrolment, browser_milliseconds=taken, **given)
    # 4 x 30 s and, where nobody has answered, 4 x 12 s.
    told = {shown.slug: minutes for shown, minutes in client.get("/").context["studies"]}
    assert told == {"study": 2, "presence": 1}
    admin = User.objects.create_superuser("admin")
    client.force_login(admin)
    for preset, seconds in ((StudyOrder.Preset.ATTRIBUTION, 30), (StudyOrder.Preset.PRESENCE, 12)):
        order = StudyOrder.objects.create(orderer=admin, preset=preset)
        page = client.get(reverse("research-step", args=[order.pk, "pay"]))
        assert page.context["form"]["seconds"].value() == seconds


def test_an_untrained_model_is_said_to_be_one(client, make_study):
    make_study()
    assert "untrained model" not in client.get("/").content.decode()
    Recipe.objects.update(trained=False)
    assert "untrained model" in client.get("/").content.decode()


def test_posting_is_refused(client):
    assert client.post("/").status_code == 405
