"""The bell that wakes the workers. The rows are the truth: a bell that nobody hears only delays the work."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)
RING = "annotation_site.worker.tasks.ring"
MINUTE = 60


def ring_after_commit() -> None:
    """Wake the workers once the rows that they are to find are there."""
    transaction.on_commit(ring)


def ring() -> bool:
    """Whether the broker took the message; where there is none, ``manage.py work`` looks for itself."""
    try:
        current_app.send_task(RING, retry=False, expires=MINUTE)
    except Exception as error:
        logger.info("The workers could not be rung for (%s); they are rung for again each minute.", error)
        return False
    return True
