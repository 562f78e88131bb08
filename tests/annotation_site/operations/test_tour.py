"""The demo's tour: a card on every page, kept in the session, and one click that signs in on the machine itself."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotation_site.accounts.demo import RESEARCHER, demo_researcher
from annotation_site.operations.tour import STEPS
from annotation_site.studies.members import Member

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(make_study, settings):
    settings.TOUR, settings.ATTEST_ENV = True, "demo"
    study = make_study(slug="demo", items=1)
    Member.objects.create(study=study, user=demo_researcher())
    return study


@pytest.fixture
def client() -> Client:
    """A browser on the machine itself."""
    return Client(SERVER_NAME="localhost")


def card(client: Client, page: str = "/") -> str:
    return client.get(page).content.decode().partition('class="tour')[2].partition("</aside>")[0]


def go(client: Client, to: object, **more) -> str:
    return client.post(reverse("tour"), {"to": to}, **more)["Location"]


def test_it_leads_through_every_page_to_the_end(client, demo):
    assert "step 1 of 5" in card(client)
    for number, step in enumerate(STEPS, start=1):
        where = go(client, number)
        if step.needs_account and number == 4:
            assert "Sign in as the demo" in card(client, where)
            where = client.post(reverse("tour-sign-in"))["Location"]
        assert where == step.address
        shown = client.get(where)
        assert shown.status_code == 200
        assert f"step {number} of 5" in shown.content.decode()
        assert "Go there" not in card(client, where)
    assert "End the tour" in card(client)
    assert client.session["_auth_user_id"] == str(User.objects.get(username=RESEARCHER).pk)


def test_it_stays_hidden_until_it_is_asked_for(client, demo):
    go(client, "hide")
    assert "step" not in card(client)
    assert "Take the guided tour" in card(client, "/privacy/")
    assert go(client, 1) == reverse("join", args=["demo"])
    assert "step 1 of 5" in card(client)


@pytest.mark.parametrize("to", ["0", "6", "-1", "x", "", "9" * 50, "²"])
def test_what_is_no_step_hides_it(client, demo, to):
    assert go(client, to) == "/"
    assert "Take the guided tour" in card(client)


def test_a_rater_meets_the_card_below_what_is_judged(client, demo):
    page = client.get(client.post("/studies/demo/", {"consent": "yes"})["Location"]).content.decode()
    assert page.index('id="answer-form"') < page.index('class="tour"')


@pytest.mark.parametrize(
    "origin",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"headers": {"host": "attest.example.org"}},
        {"headers": {"x-forwarded-for": "192.0.2.7"}},
        {"headers": {"forwarded": "for=192.0.2.7"}},
    ],
)
def test_from_elsewhere_nobody_is_signed_in(client, demo, settings, origin):
    settings.ALLOWED_HOSTS = ["*"]
    assert client.post(reverse("tour-sign-in"), **origin).status_code == 403
    assert "_auth_user_id" not in client.session
    assert "Sign in as the demo" not in client.get("/", **origin).content.decode()


def test_another_site_can_sign_nobody_in(demo):
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(reverse("tour-sign-in")).status_code == 403


def test_the_account_opens_by_no_password(demo):
    user = User.objects.get(username=RESEARCHER)
    assert not user.has_usable_password()
    assert not user.is_superuser


@pytest.mark.parametrize(("tour", "production"), [(False, False), (True, True)])
def test_elsewhere_there_is_no_tour(client, demo, settings, tour, production):
    settings.TOUR, settings.PRODUCTION = tour, production
    for name in ("tour", "tour-sign-in"):
        assert client.post(reverse(name)).status_code == 404
    assert card(client) == ""
    assert "_auth_user_id" not in client.session
