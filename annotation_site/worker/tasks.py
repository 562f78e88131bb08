"""Celery only rings the bell: a task works off rows that are claimed in the database.

A lost message delays work and a repeated one finds nothing to do. Beat rings each minute for whoever is idle while
there is work, so that no message is needed for good.
"""

from __future__ import annotations

from celery import shared_task
from celery.worker import state as celery_state

from annotation_site.rating.assignment import database_now, release_all_expired
from annotation_site.stimuli import bell
from annotation_site.stimuli.models import Worker
from annotation_site.worker import jobs
from annotation_site.worker.generation import DeviceLost


@shared_task
def work() -> int:
    """One piece of what is queued, and a ring for the next one while some is left; how many things were done.

    Short, so that a worker can be stopped at any time; told to stop, it gives back what it has not finished.
    """
    try:
        done = jobs.one_piece(go_on=lambda: celery_state.should_stop is None)
    except DeviceLost:
        # Ends this worker after the task; whoever keeps it running starts another.
        celery_state.should_stop = 1
        raise
    if done and jobs.anything_waiting(database_now()):
        bell.send(bell.WORK)
    return done


@shared_task
def ring() -> int:
    """Wake every idle worker if there is work for it; how many."""
    now = database_now()
    if not jobs.anything_waiting(now):
        return 0
    idle = Worker.objects.idle(now).count()
    for _ in range(idle):
        # What nobody hears within a minute is rung for again.
        work.apply_async(expires=60)
    return idle


@shared_task
def sweep() -> int:
    """Queue again what dead workers had claimed, wherever they ran; how many. Celery beat sends it each minute."""
    return jobs.sweep(database_now())


@shared_task
def release_leases() -> int:
    """Free the seats whose lease has run out; how many. Celery beat sends it each minute."""
    return release_all_expired(now=database_now())
