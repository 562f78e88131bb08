"""What workers do when they are free: one list, whether Celery rings for them or ``manage.py work`` looks.

To give workers another kind of work, keep its queue in rows, claim one by a conditional update, and add a Job here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError

from annotation_site.rating.assignment import database_now
from annotation_site.worker import fleet, generation, orders

logger = logging.getLogger(__name__)
GoOn = Callable[[], bool]
"""False once the worker is to stop, or has worked long enough for one piece: end soon, give back what is left."""
PIECE_SECONDS = 240.0
"""How long one piece of work may go on. Ten minutes is the limit of a task, and an image may be slow to finish."""


@dataclass(frozen=True)
class Job:
    """A kind of work: whether some is ``waiting``, and one piece of it, which returns how many things it did.

    While it ``rests``, this process leaves it alone; others need not.
    """

    name: str
    waiting: Callable[[datetime], bool]
    run: Callable[[GoOn], int]
    rests: Callable[[], bool] = lambda: False


JOBS: list[Job] = [
    Job("build studies", orders.waiting, orders.carry_out_some),
    Job("draw", generation.waiting, generation.draw_some, generation.rests),
]
"""The most urgent first."""


def one_piece(go_on: GoOn = lambda: True) -> int:
    """One piece of the most urgent work there is; how many things were done, 0 when nothing can be done now.

    A job that breaks off is logged and written into the worker's row, and the next one has its turn. Raises DeviceLost,
    after which the process must end.
    """
    end = time.monotonic() + PIECE_SECONDS
    for job in JOBS:
        if not go_on() or job.rests() or not job.waiting(database_now()):
            continue
        try:
            with fleet.busy():
                done = job.run(lambda: go_on() and time.monotonic() < end)
        except (generation.DeviceLost, DatabaseError):
            raise
        except Exception:
            logger.exception("The job %r broke off", job.name)
            continue
        if done:
            return done
    return 0


def sweep(now: datetime) -> int:
    """Queue again what dead workers had claimed; how many things."""
    return fleet.release_claims_of_the_dead(now) + orders.release_orders_of_the_dead()


def anything_waiting(now: datetime) -> bool:
    return any(job.waiting(now) for job in JOBS)
