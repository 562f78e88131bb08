"""API tokens: shown once, stored as a hash, held to scopes, role and time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation_site.accounts.models import ApiToken
from annotation_site.accounts.tokens import ApiTokenAuthentication, HasScope, make_token
from tests.annotation_site.accounts.conftest import sign_in

pytestmark = pytest.mark.django_db
ADDRESS = "/accounts/tokens/"
FORM = {"name": "notebook", "scopes": ["read:reports"], "days": "30"}


class Reports(APIView):
    authentication_classes = [ApiTokenAuthentication]
    permission_classes = [HasScope("read:reports")]

    def get(self, request: HttpRequest) -> Response:
        return Response({"user": request.user.username})


def ask(token: str, scheme: str = "Bearer"):
    return Reports.as_view()(RequestFactory().get("/", headers={"Authorization": f"{scheme} {token}"}))


@pytest.fixture
def signed_in(client, make_user) -> Client:
    make_user()
    sign_in(client)
    return client


def test_a_token_is_shown_once_and_stored_as_a_hash(signed_in):
    page = signed_in.post(ADDRESS, FORM)
    token = page.context["made"]
    assert token in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert token not in signed_in.get(ADDRESS).content.decode()
    stored = ApiToken.objects.get()
    assert token not in "".join(str(value) for value in vars(stored).values())
    assert ask(token).data == {"user": "mina"}


def test_a_token_sent_twice_is_one(signed_in):
    signed_in.post(ADDRESS, FORM)
    again = signed_in.post(ADDRESS, FORM)
    assert again.status_code == 422
    assert "a token of this name" in again.content.decode()
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"scopes": ["everything"]}, {"scopes": []}, {"days": "9999"}, {"name": "\0"}])
def test_a_token_that_cannot_be_is_refused(signed_in, wrong):
    assert signed_in.post(ADDRESS, FORM | wrong).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_viewer_gets_scopes_to_read_alone(client, make_user):
    make_user(role="viewer")
    sign_in(client)
    assert client.post(ADDRESS, FORM | {"scopes": ["write:studies"]}).status_code == 422
    assert client.post(ADDRESS, FORM).status_code == 200


def test_a_revoked_token_is_refused_and_nobody_revokes_anothers(signed_in, make_user):
    token = signed_in.post(ADDRESS, FORM).context["made"]
    key = ApiToken.objects.get().token_key
    make_user("other")
    other = Client()
    sign_in(other, "other")
    other.post("/accounts/tokens/revoke/", {"token": key})
    assert ask(token).status_code == 200
    for _ in range(2):
        assert signed_in.post("/accounts/tokens/revoke/", {"token": key}).status_code == 302
    assert ask(token).status_code == 401
    assert signed_in.post("/accounts/tokens/revoke/", {"token": "\0"}).status_code == 302


def test_a_token_ends_with_its_time_and_with_its_user(make_user):
    user = make_user()
    assert ask(make_token(user, "past", ["read:reports"], timedelta(seconds=-1))).status_code == 401
    token = make_token(user, "closed", ["read:reports"], timedelta(days=1))
    user.is_active = False
    user.save()
    assert ask(token).status_code == 401


def test_another_scope_is_refused_by_name(make_user):
    refused = ask(make_token(make_user(), "writer", ["write:studies"], timedelta(days=1)))
    assert refused.status_code == 403
    assert "read:reports" in str(refused.data)


@pytest.mark.parametrize("token", ["attest_", "attest_" + "0" * 64, "attest_é\0", "attest_" + "g" * 64, ""])
def test_what_is_no_token_is_refused(token):
    assert ask(token).status_code == 401


def test_a_token_is_no_way_round_the_second_factor(make_user, settings):
    token = make_token(make_user(), "early", ["read:reports"], timedelta(days=1))
    settings.SECOND_FACTOR_REQUIRED = True
    assert ask(token).status_code == 401


def test_an_unknown_scope_is_an_error_of_the_program():
    with pytest.raises(ValueError, match="read:everything"):
        HasScope("read:everything")
