"""Registering webhooks, from a page or a program alike."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from annotation_site.rating.assignment import database_now
from annotation_site.webhooks.events import write_down
from annotation_site.webhooks.models import Webhook


@transaction.atomic
def register(owner: Any, **fields: Any) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is shown this once. Raises Django's ValidationError."""
    webhook = Webhook(owner=owner, created_at=database_now(), **fields)
    secret = webhook.renew_secret()
    webhook.full_clean()
    webhook.save(force_insert=True)
    write_down(webhook, webhook.created_at, past=True)
    return webhook, secret


@transaction.atomic
def change(webhook: Webhook, **fields: Any) -> Webhook:
    """Change address, events, bound or whether it is active. What new events find already there is not sent."""
    before = set(webhook.events)
    for name, value in fields.items():
        setattr(webhook, name, value)
    webhook.full_clean()
    webhook.save(update_fields=list(fields))
    if set(webhook.events) - before:
        write_down(webhook, database_now(), past=True)
    return webhook


def new_secret(webhook: Webhook) -> str:
    """Sign with another secret from now on; it is shown this once."""
    secret = webhook.renew_secret()
    webhook.save(update_fields=["encrypted_secret"])
    return secret
