"""A study's images by state, and the bell for those who make them."""

from __future__ import annotations

import logging

from celery import current_app
from django.db.models import Count

from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Study
from annotation_site.worker.generation import wanted_by

logger = logging.getLogger(__name__)
RING, BATCH = "annotation_site.worker.tasks.precompute_batch", 16


def counts(study: Study) -> dict[str, int]:
    """The images of the items in use by state."""
    rows = wanted_by(study).order_by().values_list("state").annotate(Count("pk"))
    number = dict(rows)
    return {state: number.get(state, 0) for state in Generation.State.values}


def ring(study: Study) -> None:
    """Wake a worker. The rows are the truth: where nobody hears it, the work waits for the next who looks."""
    try:
        current_app.send_task(RING, [study.slug, BATCH], retry=False)
    except Exception as error:
        logger.info("No worker could be rung for (%s): run manage.py precompute %s.", error, study.slug)
