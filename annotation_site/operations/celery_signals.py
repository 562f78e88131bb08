"""What Celery's processes tell: logs in the site's form, a file that they live, a row each of those that draw."""

from __future__ import annotations

import logging.config
import tempfile
from pathlib import Path
from typing import Any

from celery import current_app, signals
from django.conf import settings

from annotation_site.stimuli import bell
from annotation_site.stimuli.models import Worker
from annotation_site.worker import fleet

# A worker of the solo pool answers no ping while it draws, so its health is a file that it touches.
ALIVE = Path(tempfile.gettempdir()) / "attest-alive"
heart = fleet.Heart()


@signals.setup_logging.connect
def _log_as_the_site_does(**kwargs: Any) -> None:
    logging.config.dictConfig(settings.LOGGING)


# A worker at rest sends a heartbeat every few seconds, beat a message each minute.
@signals.task_prerun.connect
@signals.task_postrun.connect
@signals.worker_ready.connect
@signals.heartbeat_sent.connect
@signals.beat_init.connect
def _alive(**kwargs: Any) -> None:
    ALIVE.touch()


@signals.beat_init.connect
def _alive_with_each_message(**kwargs: Any) -> None:
    signals.after_task_publish.connect(_alive, weak=False)


def _draws() -> bool:
    """Whether this worker takes what is to be drawn, and not the site's own tasks alone."""
    return settings.DRAWING_QUEUE in current_app.amqp.queues.consume_from


@signals.worker_init.connect
def _one_process_a_gpu(sender: Any, **kwargs: Any) -> None:
    pool = sender.pool_cls
    name = pool.__module__ if isinstance(pool, type) else str(pool)
    if _draws() and "solo" not in name:
        raise SystemExit(
            f"--pool={name}: workers draw on a GPU, which takes one process: leave it out or say solo. With "
            f"--queues={settings.SITE_QUEUE} any pool will do."
        )


# Not earlier: when its pool starts, Celery closes the sockets of all database connections that are open, and whoever
# uses one of them afterwards waits for ever.
@signals.worker_ready.connect
def _enlist_and_look_for_work(**kwargs: Any) -> None:
    if _draws():
        fleet.enlist(Worker.Kind.CELERY)
        heart.start()
        bell.ring()


@signals.worker_shutdown.connect
def _strike_off(**kwargs: Any) -> None:
    if _draws():
        heart.stop()
        fleet.strike_off()
