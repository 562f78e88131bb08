"""Signing in: password, second factor, sessions, and what is refused to those who guess."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation_site.studies.members import Member
from tests.annotation_site.accounts.conftest import PASSWORD, code_of, sign_in

pytestmark = pytest.mark.django_db
INSIDE = "/accounts/tokens/"


@pytest.fixture
def required(settings):
    settings.SECOND_FACTOR_REQUIRED = True
    settings.ATTEST_ENV = "production"


def test_a_new_user_sets_a_password_by_a_link_that_works_once(client, capsys, make_study):
    make_study()
    call_command("add_user", "mina", "--role", "viewer", "--study", "study")
    link = re.search(r"http://localhost:8000(\S+)", capsys.readouterr().out)[1]
    page = client.get(link, follow=True)
    assert "mina" in page.content.decode()
    assert link.rpartition("-")[2] not in page.request["PATH_INFO"]
    address = page.request["PATH_INFO"]
    short = client.post(address, {"password1": "short", "password2": "short"})
    assert "too short" in short.content.decode()
    done = client.post(address, {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    assert "Your password is set" in done.content.decode()
    assert "This link does not work any more" in Client().get(link, follow=True).content.decode()
    assert sign_in(client).status_code == 302
    assert Member.objects.get().role == "viewer"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("mina", "--study", "none"), "There is no study 'none'"),
        (("taken",), "already exists"),
        (("mina", "--role", "admin", "--study", "study"), "leave --study out"),
        (("nobody", "--again"), "no active account 'nobody'"),
    ],
)
def test_an_account_that_cannot_be_made_says_why_and_leaves_nothing(options, said):
    User.objects.create_user("taken")
    with pytest.raises(CommandError, match=said):
        call_command("add_user", *options)
    assert User.objects.count() == 1


def test_nobody_signs_up(client):
    assert client.get("/accounts/signup/").status_code == 404


def test_the_session_gets_another_key_on_signing_in(client, make_user):
    make_user()
    client.get("/")
    session = client.session
    session["rater"] = 7
    session.save()
    before = session.session_key
    sign_in(client)
    assert client.session.session_key != before
    assert client.session["rater"] == 7
    assert client.session.get_expire_at_browser_close()
    signed_in = client.session.session_key
    client.post("/accounts/logout/")
    assert not client.session.get("_auth_user_id")
    stale = Client()
    stale.cookies["sessionid"] = signed_in
    assert stale.get(INSIDE).status_code == 302


def test_a_changed_password_ends_the_other_sessions(client, make_user):
    make_user()
    other = Client()
    sign_in(client), sign_in(other)
    new = "quite another pass phrase"
    changed = client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert changed.status_code == 302, changed.context["form"].errors
    assert client.get(INSIDE).status_code == 200
    assert other.get(INSIDE).status_code == 302


@pytest.mark.parametrize("name", ["mina", "nobody"])
def test_guessing_a_password_is_stopped_for_the_right_one_too(client, make_user, name):
    make_user()
    for _ in range(5):
        assert sign_in(client, name, "wrong").status_code == 200
    # From another address as well: it is the name that is guarded.
    refused = sign_in(Client(REMOTE_ADDR="203.0.113.9"), name)
    assert "Too many failed login attempts" in refused.content.decode()
    assert not User.objects.filter(last_login__isnull=False).exists()


def test_one_address_cannot_try_many_names(client, make_user):
    make_user()
    answers = [sign_in(client, f"name-{number}", "wrong").content.decode() for number in range(11)]
    assert "Too many failed login attempts" not in answers[9]
    assert "Too many failed login attempts" in answers[10]
    assert sign_in(Client(REMOTE_ADDR="203.0.113.9")).status_code == 302


def test_clients_behind_a_proxy_are_told_apart_and_cannot_choose_their_address(client, make_user, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    make_user()
    for number in range(11):
        # What the client claims stands left of what the proxy saw.
        forwarded = f"198.51.100.{number}, 203.0.113.1"
        page = sign_in(client, f"name-{number}", "wrong", HTTP_X_FORWARDED_FOR=forwarded)
    assert "Too many failed login attempts" in page.content.decode()
    assert sign_in(client, HTTP_X_FORWARDED_FOR="203.0.113.2").status_code == 302


def test_wrong_codes_are_limited_as_well(client, make_user, second_factor):
    secret = second_factor(make_user())
    assert sign_in(client).url == reverse("mfa_authenticate")
    pages = [client.post("/accounts/2fa/authenticate/", {"code": "000000"}) for _ in range(6)]
    assert "Too many failed login attempts" in pages[-1].content.decode()
    right = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert right.status_code == 200
    assert client.get(INSIDE).status_code == 302


def test_signing_in_asks_for_the_second_factor_and_takes_a_code_once(client, make_user, second_factor):
    secret = second_factor(make_user())
    assert sign_in(client).url == reverse("mfa_authenticate")
    assert client.get(INSIDE).status_code == 302
    code = code_of(secret)
    assert client.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
    assert client.get(INSIDE).status_code == 200
    again = Client()
    sign_in(again)
    assert again.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200


def test_the_secret_is_stored_encrypted(make_user, second_factor):
    secret = second_factor(make_user())
    assert secret not in str(Authenticator.objects.get().data)


@pytest.mark.parametrize(("role", "asked"), [("admin", True), ("researcher", True), ("viewer", False)])
def test_who_must_have_a_second_factor_gets_no_further_without(client, make_user, required, role, asked):
    make_user(role=role)
    sign_in(client)
    for address in ("/reports/", "/generations/", "/admin/", INSIDE, "/metrics"):
        answer = client.get(address)
        wanted = answer.status_code == 302 and answer.url == reverse("mfa_activate_totp")
        assert wanted == asked, address
    assert client.get("/alerts/mute/not-ours/").status_code == 404


def test_a_researcher_by_a_part_in_a_study_must_have_one_too(client, make_user, make_study, required):
    Member.objects.create(study=make_study(), user=make_user(role="viewer"), role="researcher")
    sign_in(client)
    assert client.get("/reports/study/").url == reverse("mfa_activate_totp")


def test_a_second_factor_is_set_up_with_recovery_codes(client, make_user, required):
    user = make_user()
    sign_in(client)
    asked = client.get("/accounts/2fa/totp/activate/", follow=True)
    assert "Is it you?" in asked.content.decode()
    again = {"password": PASSWORD, "next": "/accounts/2fa/totp/activate/"}
    page = client.post("/accounts/reauthenticate/", again, follow=True)
    secret = page.context["form"].secret
    assert f'<span class="secret">{secret}</span>' in page.content.decode()
    assert "<svg" in page.content.decode()
    codes = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)}, follow=True)
    assert codes.redirect_chain[-1][0] == reverse("mfa_view_recovery_codes")
    assert client.get("/reports/").status_code == 200
    code = codes.context["unused_codes"][0]
    other = Client()
    for expected in (302, 200):
        sign_in(other)
        assert other.post("/accounts/2fa/authenticate/", {"code": code}).status_code == expected
        other.logout()
    assert set(Authenticator.objects.filter(user=user).values_list("type", flat=True)) == {"totp", "recovery_codes"}


def test_the_demo_asks_for_none(client, make_user):
    make_user(role="admin")
    assert sign_in(client).url == reverse("reports")
    assert client.get("/admin/").status_code == 200


def test_the_administration_has_no_way_in_of_its_own(client, make_user, second_factor):
    second_factor(make_user(role="admin"))
    form = {"username": "mina", "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", form).url == "/accounts/login/?next=/admin/"
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/accounts/login/?next=/admin/"
    assert client.get("/admin/").status_code == 302


def test_the_administration_tells_others_that_they_are_no_admins(client, make_user):
    make_user(role="researcher")
    sign_in(client)
    refused = client.get("/admin/", follow=True)
    assert refused.status_code == 403
    assert "for admins" in refused.content.decode()


def test_nobody_is_sent_to_another_site(client, make_user):
    make_user()
    form = {"login": "mina", "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post("/accounts/login/", form).url == reverse("reports")
