"""/studies/<slug>/ : what the study is, consent, and the way in."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.studies.models import Study

pytestmark = pytest.mark.django_db
AGREED = {"consent": "yes"}


def test_it_explains_the_task_and_asks_for_consent(client, make_study):
    make_study()
    page = client.get("/studies/study/").content.decode()
    assert "How well does the highlighting reflect the word?" in page
    assert "Taking part is voluntary" in page
    assert "checked" not in page
    assert not Enrolment.objects.exists()


def test_a_presence_study_explains_its_own_task(client, make_study):
    make_study(kind="presence")
    page = client.get("/studies/study/").content.decode()
    assert "Tick the things that you can see in it" in page
    assert "Excellent" not in page


def test_consent_makes_a_rater_and_leads_to_their_own_link(client, make_study):
    study = make_study()
    response = client.post("/studies/study/", AGREED)
    enrolment = Enrolment.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/rate/{enrolment.token}/"
    assert (enrolment.study, enrolment.consent_version, enrolment.locale) == (study, "1", "en")
    assert enrolment.consented_at is not None
    assert not enrolment.rater.simulated


def test_without_consent_nobody_joins_and_the_page_says_why(client, make_study):
    make_study()
    response = client.post("/studies/study/", {})
    assert response.status_code == 422
    page = response.content.decode()
    assert "<title>Error:" in page
    assert 'aria-describedby="consent-error"' in page
    assert not Rater.objects.exists()


def test_the_same_browser_stays_the_same_rater(client, make_study):
    make_study()
    first = client.post("/studies/study/", AGREED)
    assert client.post("/studies/study/", AGREED)["Location"] == first["Location"]
    assert first["Location"] in client.get("/studies/study/").content.decode()
    assert Rater.objects.count() == 1


def test_the_same_browser_is_the_same_rater_in_another_study(client, make_study):
    make_study()
    make_study(slug="second")
    client.post("/studies/study/", AGREED)
    client.post("/studies/second/", AGREED)
    assert Rater.objects.count() == 1
    assert Enrolment.objects.count() == 2


def test_another_browser_is_another_rater(make_study):
    make_study()
    links = {Client().post("/studies/study/", AGREED)["Location"] for browser in range(2)}
    assert len(links) == 2


@pytest.mark.parametrize(
    ("state", "words"), [("paused", "is paused"), ("closed", "is closed"), ("draft", "has not started yet")]
)
def test_a_study_that_is_not_open_says_so_and_takes_nobody_in(client, make_study, state, words):
    make_study()
    Study.objects.update(state=state)
    assert words in client.get("/studies/study/").content.decode()
    assert words in client.post("/studies/study/", AGREED).content.decode()
    assert not Enrolment.objects.exists()


def test_it_says_who_runs_it_who_approved_it_and_how_long_it_takes(client, make_study):
    make_study(
        organisation="Rosa Li, University of Testing",
        contact="rosa@example.org",
        ethics_board="Board of Testing",
        ethics_number="2026-17",
        expected_minutes=25,
        data_kept="ten years",
    )
    for state in ("open", "paused"):
        Study.objects.update(state=state)
        page = client.get("/studies/study/").content.decode()
        for text in ("Rosa Li, University of Testing", "mailto:rosa@example.org", "Board of Testing", "2026-17"):
            assert text in page
        assert "Kept: ten years" in page
        assert 'href="/privacy/"' in page
    Study.objects.update(state="open", expected_minutes=25)
    assert "about 25 minutes" in client.get("/studies/study/").content.decode()


def test_a_full_study_says_so_to_newcomers_alone(client, make_study):
    study = make_study()
    link = client.post("/studies/study/", AGREED)["Location"]
    study.seats.all().delete()
    assert link in client.get("/studies/study/").content.decode()
    for newcomer in (Client().get("/studies/study/"), Client().post("/studies/study/", AGREED)):
        assert "This study is full" in newcomer.content.decode()
    assert Enrolment.objects.count() == 1


def test_a_rater_of_a_closed_study_finds_what_was_collected(client, make_study):
    study = make_study()
    link = client.post("/studies/study/", AGREED)["Location"]
    assignment.close_study(study)
    assert f"{link}done/" in client.get("/studies/study/").content.decode()


def test_consent_to_a_text_that_does_not_exist_is_impossible(client, make_study):
    make_study()
    Study.objects.update(consent_version="7")
    with pytest.raises(ImproperlyConfigured, match="version '7' has no text"):
        client.get("/studies/study/")


def test_unknown_study_and_wrong_method(client, make_study):
    make_study()
    response = client.get("/studies/nothing/")
    assert response.status_code == 404
    assert "There is no study at this address" in response.content.decode()
    assert client.put("/studies/study/").status_code == 405


def test_joining_needs_the_forms_token(make_study):
    make_study()
    response = Client(enforce_csrf_checks=True).post("/studies/study/", AGREED)
    assert response.status_code == 403
    assert "Nothing was stored" in response.content.decode()


def test_one_address_makes_no_more_raters_than_it_may(client, make_study, settings):
    settings.RATES = {**settings.RATES, "join": "2/hour"}
    make_study()
    assert [Client().post("/studies/study/", AGREED).status_code for _ in range(3)] == [302, 302, 429]
    refused = client.post("/studies/study/", AGREED)
    assert "Try again in 60 minutes" in refused.content.decode()
    assert 3500 < int(refused["Retry-After"]) <= 3600
    assert (Enrolment.objects.count(), client.get("/studies/study/").status_code) == (2, 200)
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post("/studies/study/", AGREED).status_code == 302
