"""The bell that wakes the workers. The rows are the truth: a bell that nobody hears only delays the work."""

from __future__ import annotations

import logging
from typing import Any

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)
RING = "annotation_site.worker.tasks.ring"
WORK = "annotation_site.worker.tasks.work"
MINUTE = 60
"""After so many seconds a bell has not been heard, and beat has rung anew."""
# Not retry=False, with which Celery's transport tries to connect for six seconds, and a page waits for it.
ONCE: dict[str, Any] = {"retry": True, "retry_policy": {"max_retries": 0}}


def ring_after_commit() -> None:
    """Wake the workers once the rows that they are to find are there."""
    transaction.on_commit(ring)


def ring() -> bool:
    """Whether the broker took the message; where there is none, ``manage.py work`` looks for itself."""
    return send(RING, expires=MINUTE)


def send(task: str, *arguments: Any, **options: Any) -> bool:
    """Send a task's message, trying once; whether the broker took it. Beat looks for what is left behind anew."""
    try:
        current_app.send_task(task, arguments, **options, **ONCE)
    # What it is about is committed: whatever the broker says, the page must say so.
    except Exception as error:
        logger.info("The message for %s was not sent (%s); beat has it done later.", task, error)
        return False
    return True
