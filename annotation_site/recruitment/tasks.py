"""Looking at Prolific now and then: an event that never came delays things, and loses nothing."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings

from annotation_site.rating.assignment import database_now
from annotation_site.recruitment.client import Prolific, connect
from annotation_site.recruitment.drafts import look
from annotation_site.recruitment.errors import RecruitmentError
from annotation_site.recruitment.models import ProlificStudy
from annotation_site.recruitment.submissions import sync

logger = logging.getLogger(__name__)


@shared_task
def sync_prolific() -> int:
    """Read the submissions of every study at Prolific that is not over; how many there are. Celery beat sends it.

    Drafts are looked at as well, for they may have been published there.
    """
    if not settings.PROLIFIC_TOKEN:
        return 0
    with connect() as api:
        there = ProlificStudy.objects.exclude(prolific_id="").exclude(status="COMPLETED")
        return sum(_read(study, api) for study in there.select_related("source__study"))


def _read(study: ProlificStudy, api: Prolific) -> int:
    """How many submissions a study has; a failure, as of one deleted there, is logged and keeps no other waiting."""
    now = database_now()
    try:
        look(study, api, now=now)
        return sync(study, api, now=now)
    except RecruitmentError as problem:
        logger.warning("%s was not read: %s", study, problem)
    except Exception:
        logger.exception("%s was not read", study)
    return 0
