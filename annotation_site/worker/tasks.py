"""Celery only rings the bell: a task works off rows that are claimed in the database.

A lost message delays work and a repeated one finds nothing to do.
"""

from __future__ import annotations

from celery import shared_task

from annotation_site.rating.assignment import database_now, release_all_expired
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Study
from annotation_site.worker.generation import precompute, wanted_by


@shared_task
def precompute_batch(slug: str, batch_size: int) -> int:
    """Make one batch of a study's generations and ring again while some are left; how many were made.

    One batch a task keeps tasks short, so that a worker can be stopped at any time without losing more than that.
    """
    mine = wanted_by(Study.objects.get(slug=slug))
    tally = precompute(mine, batch_size=batch_size, limit=batch_size)
    if (tally.done or tally.failed) and mine.claimable(database_now()).exists():
        precompute_batch.delay(slug, batch_size)
    return tally.done


@shared_task
def release_leases() -> int:
    """Free the leases that have run out; how many. Celery beat sends it each minute."""
    return release_all_expired(now=database_now())


def waiting(study: Study) -> int:
    """How many generations of a study are neither done nor failed."""
    return wanted_by(study).exclude(state__in=[Generation.State.DONE, Generation.State.FAILED]).count()
