"""The wizard: one question a page, answers kept as rows, an order at the end."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation_site.research import steps
from annotation_site.research.forecast import duration, forecast, sizes
from annotation_site.research.steps.model import ModelStep
from annotation_site.studies.models import Study, StudyOrder
from annotation_site.worker.orders import carry_out_next
from tests.annotation_site.rating.test_assignment_races import in_threads

pytestmark = pytest.mark.django_db
PAGES = {
    "nouns": {"ontology": "tinyworld", "prompts": "4", "seeds": "2", "seed": "3"},
    "model": {"model": "tinyworld", "steps": "7"},
    "raters": {"seats_per_item": "3", "cap_share": "50"},
    "pay": {"seconds": "15", "pay": "0.05", "currency": "GBP", "fees": "30"},
    "about": {"organisation": "Rosa Li, University of Testing", "contact": "rosa@example.org", "listed": "on"},
    "name": {"title": "Forks and knives", "slug": "forks"},
}


@pytest.fixture
def rosa() -> User:
    user = User.objects.create_user("rosa")
    user.groups.add(Group.objects.get(name="researchers"))
    return user


@pytest.fixture
def browser(client, rosa):
    client.force_login(rosa)
    return client


def step(order: StudyOrder, name: str) -> str:
    return reverse("research-step", args=[order.pk, name])


def filled(browser) -> StudyOrder:
    assert browser.post(reverse("research-new"), {"preset": "presence"}).status_code == 302
    order = StudyOrder.objects.get()
    for name, typed in PAGES.items():
        assert browser.get(step(order, name)).status_code == 200
        assert browser.post(step(order, name), typed | {"on": "1"}).status_code == 302, name
    return order


def test_from_the_first_question_to_a_draft_that_its_researcher_runs(browser, rosa):
    order = filled(browser)
    review = browser.get(reverse("research-review", args=[order.pk]))
    # 4 prompts x 2 images x 3 raters; 24 x 0.05 = 1.20, and 30 % on top.
    assert "24" in review.content.decode()
    assert "1.56 GBP" in review.content.decode()
    for _twice in range(2):
        placed = browser.post(reverse("research-review", args=[order.pk]))
        assert placed.url == reverse("research-order", args=[order.pk])
    assert "waiting for a worker" in browser.get(placed.url).content.decode()
    assert carry_out_next("here:1").error == ""
    study = Study.objects.run_by(rosa).get(slug="forks")
    assert study.items.count() == 8
    assert (study.organisation, study.contact) == ("Rosa Li, University of Testing", "rosa@example.org")
    assert (study.listed, study.expected_minutes, study.ethics_board) == (True, None, "")
    assert reverse("research-study", args=["forks"]) in browser.get(placed.url).content.decode()
    assert "Forks and knives" in browser.get(reverse("research-home")).content.decode()


def test_what_was_typed_is_kept_and_shown_again(browser):
    browser.post(reverse("research-new"), {"preset": "presence"})
    order = StudyOrder.objects.get()
    back = browser.post(step(order, "nouns"), {**PAGES["nouns"], "prompts": "12", "back": "1"})
    assert back.url == reverse("research-home")
    assert 'value="12"' in browser.get(step(order, "nouns")).content.decode()


@pytest.mark.parametrize(
    ("page", "change", "said"),
    [
        ("nouns", {"prompts": "3"}, "3 cannot be halved"),
        ("nouns", {"prompts": "x" * 9000}, "whole number"),
        ("nouns", {"seed": "99999999999999999999"}, "2147483647"),
        ("model", {"height": "511"}, "multiple of 8"),
        ("model", {"model": "/etc/passwd"}, "not one of the available choices"),
        ("raters", {"cap_share": "nan"}, "number"),
        ("raters", {"seats_per_item": "16"}, "15"),
        ("pay", {"currency": "<b>"}, "Three capitals"),
        ("pay", {"pay": "inf"}, "number"),
        ("name", {"slug": "a b"}, "slug"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_not_passed(browser, page, change, said):
    browser.post(reverse("research-new"), {"preset": "presence"})
    order = StudyOrder.objects.get()
    refused = browser.post(step(order, page), {**PAGES[page], **change, "on": "1"})
    assert refused.status_code == 422
    assert said in refused.content.decode()


def test_an_order_with_a_question_unanswered_goes_back_to_that_question(browser):
    order = filled(browser)
    order.refresh_from_db()
    order.keep(answers={name: answer for name, answer in order.answers.items() if name != "raters"})
    assert browser.post(reverse("research-review", args=[order.pk])).url == step(order, "raters")
    order.refresh_from_db()
    assert order.state == "draft"


def test_uploaded_captions_are_stored_with_their_name(browser):
    browser.post(reverse("research-new"), {"preset": "attribution"})
    order = StudyOrder.objects.get()
    file = SimpleUploadedFile("../mine.txt", b"a red dog runs\n")
    assert browser.post(step(order, "captions"), {"captions": "upload", "on": "1", "file": file}).status_code == 302
    order.refresh_from_db()
    assert order.captions_name == "mine.txt"
    refused = browser.post(step(order, "captions"), {"captions": "upload", "file": SimpleUploadedFile("a.exe", b"x")})
    assert refused.status_code == 422


def test_every_preset_has_pages_that_open(browser):
    for preset, first in (("attribution", "captions"), ("comparison", "captions"), ("change", "sets")):
        answer = browser.post(reverse("research-new"), {"preset": preset})
        order = StudyOrder.objects.first()
        assert answer.url == step(order, first)
        assert browser.get(answer.url).status_code == 200
    assert browser.get(step(order, "nouns")).status_code == 404


def test_another_researchers_order_does_not_exist(browser, client):
    order = filled(browser)
    other = User.objects.create_user("max", is_superuser=True)
    client.force_login(other)
    for name in ("research-order", "research-review"):
        assert client.get(reverse(name, args=[order.pk])).status_code == 404
    assert client.post(reverse("research-discard", args=[order.pk])).status_code == 404
    assert client.post(step(order, "name"), PAGES["name"]).status_code == 404
    assert StudyOrder.objects.get().answers["name"]["slug"] == ["forks"]


def test_a_waiting_order_is_discarded_and_a_made_one_is_not(browser):
    order = filled(browser)
    browser.post(reverse("research-review", args=[order.pk]))
    carry_out_next("here:1")
    browser.post(reverse("research-discard", args=[order.pk]))
    assert StudyOrder.objects.get().state == "done"
    second = StudyOrder.objects.create(orderer=order.orderer, preset="presence")
    browser.post(reverse("research-discard", args=[second.pk]))
    assert list(StudyOrder.objects.all()) == [order]


def test_viewers_make_no_studies(client):
    client.force_login(User.objects.create_user("vera"))
    assert client.get(reverse("research-new")).status_code == 403
    assert "No study is shared with you yet" in client.get(reverse("research-home")).content.decode()


def test_the_forecast_by_hand():
    money = {"seconds": 15.0, "pay": 0.05, "currency": "GBP", "fees": 30.0}
    choices = {"per_tag": 200, "tags": 14, "seats_per_item": 3, "cap_share": 0.18, "forecast": money}
    found = forecast("attribution", choices, None)
    assert (found.items, found.images, found.judgements) == (2800, 2800, 8400)
    assert (found.cap, found.least_raters) == (1512, 6)
    assert (found.rater_hours, found.an_hour) == (35.0, pytest.approx(12.0))
    assert (found.pay, found.fees, found.cost) == (pytest.approx(420), pytest.approx(126), pytest.approx(546))
    # Two maps of each word share its image.
    assert sizes("comparison", choices | {"arms": ["daam", "blob"]}) == (5600, 2800)
    # Three adjectives are three images and two pairs.
    assert sizes("change", {"templates": ["a {red, blue, green} star"], "images": 5}) == (10, 15)


@pytest.mark.parametrize(("hours", "said"), [(0, "1 min"), (0.5, "30 min"), (1.99, "119 min"), (35, "35.0 h")])
def test_short_times_are_said_in_minutes(hours, said):
    assert duration(hours) == said


def test_an_order_that_is_not_there_is_said_in_words_and_not_in_names_of_classes(browser):
    page = browser.get(reverse("research-order", args=[999]))
    assert page.status_code == 404
    assert "There is nothing at this address" in page.content.decode()
    assert "StudyOrder" not in page.content.decode()


def test_admins_name_any_model_and_researchers_the_sites_own(client, browser, rosa):
    order = StudyOrder.objects.create(orderer=rosa, preset="presence")
    assert "Another model" not in browser.get(step(order, "model")).content.decode()
    refused = browser.post(step(order, "model"), {"model": "lab/new", "other": "lab/new"})
    assert refused.status_code == 422
    root = User.objects.create_superuser("root")
    own = StudyOrder.objects.create(orderer=root, preset="presence")
    client.force_login(root)
    assert "Another model" in client.get(step(own, "model")).content.decode()
    assert client.post(step(own, "model"), {"model": "tinyworld", "other": "/etc"}).status_code == 422
    assert client.post(step(own, "model"), {"model": "tinyworld", "other": "lab/new@abc"}).status_code == 302
    own.refresh_from_db()
    chosen = steps.answered(ModelStep, own)
    assert chosen.is_valid()
    assert chosen.choices() == {"model": "lab/new", "recipe": {"revision": "abc"}}


def test_a_page_stored_from_an_old_view_of_the_order_loses_no_other_page(rosa):
    order = StudyOrder.objects.create(orderer=rosa, preset="presence")
    one, two = (StudyOrder.objects.get(pk=order.pk) for tab in range(2))
    assert one.answer("raters", {"seats_per_item": ["5"]})
    assert two.answer("pay", {"seconds": ["9"]})
    assert one.answer("raters", {"seats_per_item": ["7"]})
    order.refresh_from_db()
    assert order.answers == {"raters": {"seats_per_item": ["7"]}, "pay": {"seconds": ["9"]}}
    assert order.place({}, timezone.now())
    assert not two.answer("pay", {"seconds": ["1"]})


@pytest.mark.django_db(transaction=True)
def test_tabs_that_store_their_pages_at_once_lose_none():
    researchers, _ = Group.objects.get_or_create(name="researchers")
    rosa = User.objects.create_user("rosa")
    rosa.groups.add(researchers)
    order = StudyOrder.objects.create(orderer=rosa, preset="presence")
    names = list(PAGES)
    clients = [Client() for name in names]
    for each in clients:
        each.force_login(rosa)
    for _ in range(3):
        StudyOrder.objects.filter(pk=order.pk).update(answers={})
        in_threads(len(names), lambda n: clients[n].post(step(order, names[n]), PAGES[names[n]]))
        order.refresh_from_db()
        assert set(order.answers) == set(names)
