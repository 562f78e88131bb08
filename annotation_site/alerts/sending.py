"""One attempt at a notice: a plain mail, by which its reader can also say that it was the last one."""

from __future__ import annotations

import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext_noop

from annotation_site.alerts.links import mute_address
from annotation_site.alerts.models import Notice
from annotation_site.alerts.wording import subject_and_body
from annotation_site.rating.assignment import database_now
from annotation_site.studies.models import Study

# Backends that show or swallow what they are given.
NOWHERE = ("console", "dummy")


def mail_leaves() -> bool:
    """Whether this site sends mail to anybody."""
    return not any(f".{name}." in settings.EMAIL_BACKEND for name in NOWHERE)


def send(pk: int) -> bool | None:
    """Send a notice that is due and write down how it ended; None where there was nothing to do."""
    notice = Notice.objects.claim(pk, database_now())
    if notice is None:
        return None
    reason = _moot(notice)
    error = "" if reason else _attempt(notice)
    notice.settle(now=database_now(), error=reason or error, dropped=bool(reason))
    return not (reason or error)


def _moot(notice: Notice) -> str:
    """Why the mail is not wanted any more; empty where it is. Stored so, and translated for whoever reads it."""
    subscription = notice.subscription
    if subscription.muted_at is not None:
        return gettext_noop("They have muted the study's alerts.")
    may_read = Study.objects.visible_to(subscription.user).filter(pk=notice.alert.study_id)
    if not (subscription.user.is_active and may_read.exists()):
        return gettext_noop("They may not read the study any more.")
    if not subscription.user.email:
        return gettext_noop("Their account has no e-mail address: give it one in the administration.")
    return gettext_noop("It was over before it could be sent.") if notice.alert.ended_at is not None else ""


def _attempt(notice: Notice) -> str:
    try:
        message(notice).send()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def message(notice: Notice) -> EmailMessage:
    """The same mail at every attempt; List-Unsubscribe-Post is RFC 8058's one click."""
    subject, body = subject_and_body(notice)
    headers = {
        "Message-ID": f"<{notice.uid}@{urlsplit(settings.SITE_ADDRESS).hostname}>",
        "List-Unsubscribe": f"<{mute_address(notice.subscription)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }
    return EmailMessage(subject, body, to=[notice.subscription.user.email], headers=headers)
