"""Consent: which text, in which version and language, and that it stays the rater's own."""

from __future__ import annotations

import pytest
from django.db.models import ProtectedError
from django.test import Client
from django.utils import timezone

from annotation_site.raters.consent import consent_of
from annotation_site.raters.models import Enrolment
from annotation_site.studies.models import ConsentText, Study

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(make_study) -> Study:
    """A study with a consent text of its own."""
    study = make_study()
    write(study, "ours", "We keep your answers.\n\nWe keep nothing else.")
    return name(study, "ours")


def write(study: Study, version: str, text: str, locale: str = "en") -> ConsentText:
    return ConsentText.objects.create(study=study, version=version, locale=locale, text=text)


def name(study: Study, version: str) -> Study:
    study.consent_version = version
    study.full_clean()
    study.save()
    return study


def agree(version: str | None = "ours", client: Client | None = None):
    sent = {"consent": "yes"} | ({"version": version} if version else {})
    return (client or Client()).post("/studies/study/", sent)


def test_the_studys_own_text_is_what_is_agreed_to(client, own):
    page = client.get("/studies/study/").content.decode()
    assert "<li>We keep your answers.</li><li>We keep nothing else.</li>" in page
    assert "Taking part is voluntary" not in page
    agree()
    enrolment = Enrolment.objects.get()
    assert (enrolment.consent_version, enrolment.consent_text) == ("ours", ConsentText.objects.get())


def test_attests_text_needs_no_row(make_study):
    make_study()
    agree("1")
    enrolment = Enrolment.objects.get()
    assert (enrolment.consent_version, enrolment.consent_text) == ("1", None)


def test_a_later_version_is_asked_of_those_who_join_later(client, own):
    agree(client=client)
    first = Enrolment.objects.get()
    write(own, "ours-2", "We keep your answers for ten years.")
    name(own, "ours-2")
    agree("ours-2")
    assert [e.consent_version for e in Enrolment.objects.order_by("id")] == ["ours", "ours-2"]
    # Who is in the middle keeps what they agreed to, goes on, and is told which version that was.
    assert client.get(f"/rate/{first.token}/").status_code == 200
    Enrolment.objects.filter(pk=first.pk).update(completed_at=timezone.now())
    assert "your consent to version ours of the text" in client.get(f"/rate/{first.token}/done/").content.decode()


def test_a_text_that_changed_while_it_was_read_is_read_again(own):
    write(own, "ours-2", "We keep your answers for ten years.")
    name(own, "ours-2")
    response = agree("ours")
    assert response.status_code == 422
    page = response.content.decode()
    assert "The text changed while you read it" in page
    assert "for ten years" in page
    assert not Enrolment.objects.exists()


def test_a_text_that_was_agreed_to_cannot_be_deleted(own):
    agree()
    with pytest.raises(ProtectedError):
        ConsentText.objects.all().delete()


def test_the_text_is_in_the_readers_language_or_in_english(own):
    korean = write(own, "ours", "답변을 보관합니다.", locale="ko")
    assert consent_of(own, "ko").row == korean
    for locale in ("en", "fr", ""):
        assert consent_of(own, locale).paragraphs == ["We keep your answers.", "We keep nothing else."]


def test_a_text_in_one_other_language_alone_is_shown_to_all(make_study):
    study = make_study()
    korean = write(study, "ours", "답변을 보관합니다.", locale="ko")
    assert consent_of(name(study, "ours"), "en").row == korean
