"""Celery only rings the bell: what is to be paid stands in the database, and a lost message delays it."""

from __future__ import annotations

from celery import shared_task

from annotation_site.payments import forgetting, queue
from annotation_site.rating.assignment import database_now


@shared_task
def run_errands() -> int:
    """Tell outside systems to pay and to reject; how many of them did. Celery beat sends it every five minutes."""
    return queue.run(now=database_now())


@shared_task
def forget_ids() -> int:
    """Forget whom nobody is to pay any more, in closed studies; how many raters. Celery beat sends it each hour."""
    return forgetting.sweep(database_now())
