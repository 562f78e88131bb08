"""What Celery's processes tell: logs in the site's form, a row each that they work, a file that they live."""

from __future__ import annotations

import logging.config
import tempfile
from pathlib import Path
from typing import Any

from celery import signals
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


@signals.celeryd_init.connect
def _one_process_a_gpu(options: dict[str, Any] | None = None, **kwargs: Any) -> None:
    pool = (options or {}).get("pool") or settings.CELERY_WORKER_POOL
    name = pool.__module__ if isinstance(pool, type) else str(pool)
    if "solo" not in name:
        raise SystemExit(f"--pool={name}: workers draw on a GPU, which takes one process: leave it out or say solo.")


# Not earlier: when its pool starts, Celery closes the sockets of all database connections that are open, and whoever
# uses one of them afterwards waits for ever.
@signals.worker_ready.connect
def _enlist_and_look_for_work(**kwargs: Any) -> None:
    fleet.enlist(Worker.Kind.CELERY)
    heart.start()
    bell.ring()


@signals.worker_shutdown.connect
def _strike_off(**kwargs: Any) -> None:
    heart.stop()
    fleet.strike_off()
