"""Celery only rings the bell: notices are rows, and a look each minute finds what is new and what is due."""

from __future__ import annotations

from celery import shared_task

from annotation_site.alerts.models import Notice
from annotation_site.alerts.noticing import look
from annotation_site.alerts.sending import send
from annotation_site.rating.assignment import database_now

AT_ONCE = 500


@shared_task
def look_at_studies() -> int:
    """Note what is new, and ring for each notice that is due; how many. Celery beat sends it."""
    due = looked()
    for pk in due:
        send_notice.delay(pk)
    return len(due)


@shared_task
def send_notice(pk: int) -> bool | None:
    """One attempt, where the notice is due and nobody else has it."""
    return send(pk)


def looked() -> list[int]:
    """What is due once every study was looked at; what was noted is committed by then."""
    look(database_now())
    return list(Notice.objects.due(database_now()).order_by("due_at").values_list("pk", flat=True)[:AT_ONCE])
