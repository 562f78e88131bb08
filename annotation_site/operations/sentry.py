"""Failures told to Sentry, where ``SENTRY_DSN`` names one: what broke and where in the code, and nobody's data.

Of an event only what is listed here is sent. Addresses, headers, cookies, bodies, local variables and what was logged
before stay: they hold raters' links, answers and ids.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration

from annotation_site.operations import context
from annotation_site.operations.logs import HIDDEN, hide

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

SENT = ("event_id", "timestamp", "level", "platform", "logger", "transaction", "environment", "release", "sdk")
# PostgreSQL quotes whole rows there ("Failing row contains (...)"), in as many lines as they have.
ROW = re.compile(r"(\b(?:DETAIL|CONTEXT):).*", re.DOTALL)
OF_A_FRAME = ("filename", "function", "module", "lineno", "in_app", "pre_context", "context_line", "post_context")


def start(dsn: str) -> None:
    """From here on failures of requests, tasks and commands, and logged errors, are sent to ``dsn``."""
    sentry_sdk.init(
        dsn=dsn,
        environment=settings.ATTEST_ENV,
        release=f"attest@{version('attest')}",
        integrations=[DjangoIntegration(transaction_style="function_name", middleware_spans=False),
                      CeleryIntegration(propagate_traces=False)],
        auto_enabling_integrations=False,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        before_send=told,
    )  # fmt: skip


def told(event: Event, hint: Hint) -> Event | None:
    """The part of an event that is sent: texts without secrets, and the ids by which the site's own log names it."""
    whole: dict[str, Any] = dict(event)
    sent = {name: whole[name] for name in SENT if name in whole}
    ids = {"request": context.request_id.get(), "task": context.task_id.get()}
    sent["tags"] = {name: value for name, value in ids.items() if value}
    if "log_record" in hint:
        sent["logentry"] = {"message": _said(hint["log_record"].getMessage())}
    if "exception" in whole:
        sent["exception"] = {"values": [_exception(each) for each in whole["exception"].get("values") or ()]}
    return cast("Event", sent)


def _said(text: str) -> str:
    """Without secrets, and without the row that PostgreSQL adds to what it refuses."""
    return ROW.sub(rf"\1 {HIDDEN}", hide(text))


def _exception(raised: dict[str, Any]) -> dict[str, Any]:
    shown = {"type": raised.get("type"), "module": raised.get("module"), "value": _said(str(raised.get("value") or ""))}
    frames = (raised.get("stacktrace") or {}).get("frames") or ()
    stack = [{name: frame[name] for name in OF_A_FRAME if name in frame} for frame in frames]
    return {**shown, "mechanism": {"type": (raised.get("mechanism") or {}).get("type", "generic")},
            "stacktrace": {"frames": stack}}  # fmt: skip
