"""People with accounts, and the way in that they take."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import User
from django.test import Client

from annotation_site.accounts.people import add_user

PASSWORD = "a long enough pass phrase"


@pytest.fixture
def make_user(db) -> Callable[..., User]:
    """``make_user(name, role)``: an account that has set its password."""

    def make(name: str = "mina", role: str = "researcher") -> User:
        user = add_user(name, role)
        user.set_password(PASSWORD)
        user.save()
        return user

    return make


@pytest.fixture
def second_factor() -> Callable[[User], str]:
    """``second_factor(user)``: give the account one; its secret."""

    def give(user: User) -> str:
        secret = totp.generate_totp_secret()
        totp.TOTP.activate(user, secret)
        return secret

    return give


def code_of(secret: str) -> str:
    """What the app on the phone shows now."""
    return totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))


def sign_in(client: Client, name: str = "mina", password: str = PASSWORD, **extra: str):
    return client.post("/accounts/login/", {"login": name, "password": password}, **extra)
