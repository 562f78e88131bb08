"""How allauth behaves here: nobody signs up, and what the second factor needs is stored encrypted."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from annotation_site import encryption


class Accounts(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")


class SecondFactors(DefaultMFAAdapter):
    def build_totp_svg(self, url: str) -> SafeString:
        """As an element of the page: a picture in its address would need a looser content policy."""
        return mark_safe(super().build_totp_svg(url).partition("?>")[2])  # noqa: S308 - drawn by a library

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text)
