"""Celery only rings the bell: the deliveries are rows, and a sweep each half minute finds what is due."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from django.db import transaction

from annotation_site.rating.assignment import database_now
from annotation_site.stimuli import bell
from annotation_site.webhooks import events
from annotation_site.webhooks.models import Delivery, Webhook
from annotation_site.webhooks.sending import deliver

AT_ONCE = 500


@shared_task
def sweep_webhooks() -> int:
    """Write down what is new and ring for each delivery that is due; how many. Celery beat sends it."""
    due = swept()
    for pk in due:
        send_delivery.delay(pk)
    return len(due)


@shared_task
def send_delivery(pk: int) -> bool | None:
    """One attempt, where the delivery is due and nobody else has it."""
    return deliver(pk)


def swept() -> list[int]:
    """What is due, once the events of every webhook are written down."""
    now = database_now()
    for webhook in Webhook.objects.active().select_related("owner", "study"):
        events.write_down(webhook, now)
    return list(Delivery.objects.due(database_now()).order_by("due_at").values_list("pk", flat=True)[:AT_ONCE])


def send_soon(delivery: Delivery) -> None:
    """Have it sent once it is committed; where no worker hears of it, the next sweep does."""
    transaction.on_commit(partial(bell.send, send_delivery.name, delivery.pk))
