"""Looking at Prolific now and then: an event that never came delays things, and loses nothing."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from annotation_site.rating.assignment import database_now
from annotation_site.recruitment.client import connect
from annotation_site.recruitment.drafts import look
from annotation_site.recruitment.models import ProlificStudy
from annotation_site.recruitment.submissions import sync

OVER = ("", "UNPUBLISHED", "COMPLETED")


@shared_task
def sync_prolific() -> int:
    """Read the submissions of every study that runs at Prolific; how many there are. Celery beat sends it."""
    if not settings.PROLIFIC_TOKEN:
        return 0
    total = 0
    with connect() as api:
        for study in ProlificStudy.objects.exclude(status__in=OVER).exclude(prolific_id=""):
            now = database_now()
            look(study, api, now=now)
            total += sync(study, api, now=now)
    return total
