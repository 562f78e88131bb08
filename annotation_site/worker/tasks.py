"""Celery only rings the bell: a task works off rows that are claimed in the database.

A lost message delays work and a repeated one finds nothing to do. Beat rings each minute for whoever is idle while
there is work, so that no message is needed for good. Each worker has at most one message on its way, whoever hears it,
however often it is rung for: what else waits in a worker's queue has its turn after one piece of work.
"""

from __future__ import annotations

from datetime import datetime

from celery import shared_task
from celery.worker import state as celery_state

from annotation_site.rating.assignment import database_now, release_all_expired
from annotation_site.stimuli import bell
from annotation_site.stimuli.models import Worker
from annotation_site.stimuli.workers import HEARD_WITHIN, WorkerQuerySet
from annotation_site.worker import fleet, jobs
from annotation_site.worker.generation import DeviceLost


@shared_task
def work(worker: int | None = None, rung_at: str = "") -> int:
    """One piece of what is queued, and a message for the next one while some is left; how many things were done.

    Short, so that a worker can be stopped at any time; told to stop, it gives back what it has not finished. A message
    may name the worker that it was sent to; without, it is heard in any case.
    """
    if worker is not None and not Worker.objects.hear(worker, datetime.fromisoformat(rung_at)):
        return 0
    try:
        done = jobs.one_piece(go_on=lambda: celery_state.should_stop is None)
    except DeviceLost:
        # Ends this worker after the task; whoever keeps it running starts another.
        celery_state.should_stop = 1
        raise
    if done and jobs.anything_waiting(database_now()):
        _ring(Worker.objects.filter(name=fleet.worker_name()))
    return done


@shared_task
def ring() -> int:
    """Wake every idle worker if there is work for it; how many."""
    return _ring(Worker.objects.all()) if jobs.anything_waiting(database_now()) else 0


def _ring(workers: WorkerQuerySet) -> int:
    """Send a message to each of these that is idle; how many. What is not heard until it expires is sent anew."""
    now = database_now()
    options = {"kwargs": {"rung_at": now.isoformat()}, "expires": HEARD_WITHIN.total_seconds()}
    return sum(bell.send(bell.WORK, worker, **options) for worker in workers.ring(now))


@shared_task
def sweep() -> int:
    """Queue again what dead workers had claimed, wherever they ran; how many. Celery beat sends it each minute."""
    return jobs.sweep(database_now())


@shared_task
def release_leases() -> int:
    """Free the seats whose lease has run out; how many. Celery beat sends it each minute."""
    return release_all_expired(now=database_now())
