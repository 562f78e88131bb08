"""The link in each mail by which its reader, and nobody else, mutes a study's alerts without signing in."""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from annotation_site.alerts.models import Subscription

SALT = "alerts.mute"


def mute_address(subscription: Subscription) -> str:
    """Does not end: mails are read late, and all that it can do is to keep still."""
    return absolute(reverse("alert-mute", args=[Signer(salt=SALT).sign(str(subscription.pk))]))


def subscription_of(token: str) -> Subscription | None:
    try:
        pk = int(Signer(salt=SALT).unsign(token))
    except (BadSignature, ValueError):
        return None
    return Subscription.objects.select_related("study", "user").filter(pk=pk).first()


def absolute(path: str) -> str:
    return f"{settings.SITE_ADDRESS}{path}"
