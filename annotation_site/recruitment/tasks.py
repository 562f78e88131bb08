"""Looking at Prolific now and then: an event that never came delays things, and loses nothing."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from django.conf import settings

from annotation_site.guarded import guarded
from annotation_site.rating.assignment import database_now
from annotation_site.recruitment.client import Prolific, connect
from annotation_site.recruitment.drafts import look
from annotation_site.recruitment.models import ProlificStudy
from annotation_site.recruitment.submissions import sync


@shared_task
def sync_prolific() -> int:
    """Read the submissions of every study at Prolific that is not over; how many there are. Celery beat sends it.

    Drafts are looked at as well, for they may have been published there.
    """
    if not settings.PROLIFIC_TOKEN:
        return 0
    with connect() as api:
        there = ProlificStudy.objects.exclude(prolific_id="").exclude(status="COMPLETED")
        return sum(
            guarded(f"{study} was not read", partial(_read, study, api)) or 0
            for study in there.select_related("source__study")
        )


def _read(study: ProlificStudy, api: Prolific) -> int:
    now = database_now()
    look(study, api, now=now)
    return sync(study, api, now=now)
