"""A study with a member who asked for its alerts, and a mail server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User

from annotation_site.alerts.models import Subscription
from annotation_site.studies.members import Member
from tests.annotation_site.alerts.mailserver import MailServer, receiving
from tests.annotation_site.reports.conftest import enrol, fill, judge

__all__ = ["enrol", "fill", "judge"]


@pytest.fixture
def subscriber(db) -> Callable[..., Subscription]:
    """``subscriber(study, "rosa", locale="ko")``: a researcher of the study who asked for its mails."""

    def make(study, name: str = "rosa", locale: str = "en") -> Subscription:
        user = User.objects.create_user(name, f"{name}@example.org")
        Member.objects.create(study=study, user=user)
        return Subscription.objects.create(study=study, user=user, locale=locale)

    return make


@pytest.fixture
def mails(settings) -> Iterator[MailServer]:
    """A server that takes every mail unless a step is put into ``mails.script``."""
    with receiving() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "Attest <attest@example.org>"
        yield server
