"""A study's own words, by language, and what they fall back to."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from annotation_site.studies.models import ConsentText, Study
from annotation_site.studies.text_parts import check_texts
from annotation_site.studies.texts import in_language, likert_ratings, paragraphs, texts_of

FIVE = ["No", "Hardly", "Half", "Mostly", "Yes"]
ENGLISH = {"question": "Is it so?", "anchors": FIVE, "instructions": "One.\n\nTwo."}
KOREAN = {"question": "그렇습니까?"}


def study(**texts) -> Study:
    return Study(kind="likert", texts=texts)


def test_without_own_texts_attests_are_used():
    texts = texts_of(study(), "en")
    assert texts.question == "How well does the highlighting reflect the word?"
    assert texts.anchors == {1: "Bad", 2: "Poor", 3: "Fair", 4: "Good", 5: "Excellent"}
    assert texts.instructions == []


@pytest.mark.parametrize(
    ("locale", "question"),
    [("en", "Is it so?"), ("en-gb", "Is it so?"), ("ko", "그렇습니까?"), ("ko-kr", "그렇습니까?"), ("fr", "Is it so?")],
)
def test_a_language_without_own_words_gets_the_english_ones(locale, question):
    assert texts_of(study(en=ENGLISH, ko=KOREAN), locale).question == question


def test_what_korean_leaves_out_is_said_in_the_studys_english_not_in_attests_korean():
    with translation.override("ko"):
        texts = texts_of(study(en=ENGLISH, ko=KOREAN), "ko")
    assert list(texts.anchors.values()) == ENGLISH["anchors"]
    assert texts.instructions == ["One.", "Two."]


def test_the_answers_are_offered_in_the_studys_words():
    choices = likert_ratings(study(en=ENGLISH), "en")
    assert [choice.value for choice in choices] == [choice.key for choice in choices] == list("12345")
    assert [choice.label for choice in choices] == FIVE


def test_no_language_at_all():
    assert in_language({}, "en") is None
    assert in_language({"de": "nein"}, "ko") is None


@pytest.mark.parametrize(
    "texts",
    [
        [],
        {"en": "x"},
        {"en": {"question": "x", "colour": "red"}},
        {"en": {"anchors": FIVE[:2]}},
        {"en": {"anchors": [*FIVE[:4], ""]}},
    ],
)
def test_texts_that_are_none_are_refused(texts):
    with pytest.raises(ValidationError):
        check_texts(texts)


def test_paragraphs_stand_between_empty_lines():
    assert paragraphs("One\nline.\r\n\r\n  Two. \n\n\n") == ["One\nline.", "Two."]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_view", "beside"),
        ("texts", {"en": KOREAN}),
        ("check_every", 5),
        ("practice_pass_mark", 50),
        ("kind", "presence"),
    ],
)
def test_what_answers_depend_on_cannot_change_after_opening(make_study, field, value):
    opened = make_study()
    setattr(opened, field, value)
    with pytest.raises(ValidationError, match="answers depend on it") as refused:
        opened.full_clean()
    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize(("field", "value"), [("title", "Another"), ("break_every", 7), ("screen_out_code", "X")])
def test_what_they_do_not_depend_on_may_change(make_study, field, value):
    opened = make_study()
    setattr(opened, field, value)
    opened.full_clean()


def test_a_consent_version_needs_a_text_and_an_opened_text_stays(make_study):
    opened = make_study()
    opened.consent_version = "ours-2"
    with pytest.raises(ValidationError, match="has no text"):
        opened.full_clean()
    text = ConsentText(study=opened, version="ours-2", text="You agree.")
    text.full_clean()
    text.save()
    opened.full_clean()
    text.text = "You agree to more."
    with pytest.raises(ValidationError, match="as a new version"):
        text.full_clean()
    with pytest.raises(ValidationError, match="Attest's own"):
        ConsentText(study=opened, version="1", text="You agree.").full_clean()
