"""Every string that raters and researchers read is there in every language, whole and up to date."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext, override

HELPER = Path(__file__).with_name("catalogue.py")
SPEC = importlib.util.spec_from_file_location("catalogue", HELPER)
catalogue = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(catalogue)


def one(string: str, message: str = "Answer %(name)s", **more) -> Catalog:
    made = Catalog(locale="ko")
    made.add(message, string, **more)
    return made


def test_every_language_on_offer_has_a_catalogue():
    assert {code for code, name in settings.LANGUAGES} == {"en", *catalogue.LANGUAGES}


def test_the_strings_of_templates_and_modules_are_found():
    wanted = catalogue.template()
    assert len(wanted) > 150
    # One of each way to write them: tag, block with a name, plural, context, lazy in a module.
    for text in ("Undo last", "Picture by %(model)s", "Poor", "This link is not one of ours: check that all of it was"):
        assert any(str(message.id).startswith(text) for message in wanted), text
    assert wanted.get(("about %(minutes)s minute", "about %(minutes)s minutes")) is not None
    assert wanted.get("en", "language code of this page") is not None


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_nothing_is_missing_fuzzy_or_stale(language):
    # Remedy: `python tests/annotation_site/catalogue.py`, then translate what it names.
    assert catalogue.problems(catalogue.template(), catalogue.translated(language)) == []


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_the_compiled_file_is_that_of_the_catalogue(language):
    assert catalogue.paths(language)[1].read_bytes() == catalogue.compiled(catalogue.translated(language))


@pytest.mark.parametrize(
    ("translation", "problem"),
    [
        (one("대답 %(name)s"), None),
        (one(""), "missing"),
        (one("대답 %(name)s", "Old"), "missing"),
        (one("대답 %(name)s", flags={"fuzzy"}), "fuzzy"),
        (one("대답"), "placeholders"),
        (one("대답 <b>%(name)s</b>"), "tags"),
    ],
)
def test_what_is_wrong_with_a_translation_is_named(translation, problem):
    found = catalogue.problems(one(""), translation)
    assert found == [] if problem is None else problem in found[0]


def test_a_string_that_is_no_longer_used_is_named():
    translation = one("대답 %(name)s")
    translation.add("Gone", "없음")
    assert catalogue.problems(one(""), translation) == ["stale: Gone"]


def test_django_finds_the_compiled_strings():
    with override("ko"):
        assert gettext("Excellent") == "매우 좋음"


KOREAN = {"accept-language": "ko"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("account", "내 계정"),
        ("research-home", "내 연구"),
        ("research-new", "무엇을 묻는 연구인가요?"),
        ("reports", "보고서"),
        ("webhooks", "웹훅 등록"),
    ],
)
def test_researchers_read_their_own_pages_in_their_language(client, page, words):
    client.force_login(User.objects.create_superuser("rosa"))
    shown = client.get(reverse(page), headers=KOREAN).content.decode()
    assert '<html lang="ko">' in shown
    assert words in shown.partition("<main")[2]
    assert 'class="languages"' in shown


@pytest.mark.django_db
def test_the_administration_and_the_reports_stay_in_english(client, make_study):
    make_study(opened=False)
    client.force_login(User.objects.create_superuser("rosa"))
    admin = client.get(reverse("admin:studies_study_changelist"), headers=KOREAN).content.decode()
    assert "Draft" in admin or "draft" in admin
    assert "초안" not in admin
    report = client.get(reverse("report", args=["study"]), headers=KOREAN).content.decode()
    assert '<span class="tag">draft</span>' in report
    assert "내 연구" in report
