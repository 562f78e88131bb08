"""This process as a row of the fleet: enlisted, seen to live, told what it does, and struck off when it ends."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import close_old_connections, connection, transaction

from annotation_site.rating.assignment import database_now
from annotation_site.stimuli.models import Generation, Hindrance, Worker
from annotation_site.worker.reasons import reason_of

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 20.0
SOON_SECONDS = 2.0
"""After a sign of life that could not be written: once the database is back, this worker must not look dead."""
TOKEN = secrets.token_hex(16)


def worker_name() -> str:
    """Host and process: the next process on this host can tell whether the owner of a claim still lives."""
    return f"{socket.gethostname()}:{os.getpid()}"


@transaction.atomic
def enlist(kind: str = Worker.Kind.COMMAND) -> Worker:
    """This process's row. What an earlier process of the same name left behind is queued again."""
    now, name = database_now(), worker_name()
    born = {"host": socket.gethostname(), "token": TOKEN, "kind": kind, "started_at": now, "last_seen": now}
    worker, new = Worker.objects.get_or_create(name=name, defaults=born)
    if not new and worker.token != TOKEN:
        # Containers start again under their old host name and process number.
        Generation.objects.take_from_the_dead(now=now, owners=[name])
        fresh = {**born, "stopped_at": None, "busy_since": None, "rung_at": None, "trouble": "", "device": ""}
        Worker.objects.filter(pk=worker.pk).update(**fresh)
        worker.hindrances.all().delete()
        worker.refresh_from_db()
    return worker


def strike_off() -> None:
    """This process ends: what it still holds is queued again."""
    Generation.objects.give_back(worker_name())
    mine = Worker.objects.filter(name=worker_name(), token=TOKEN)
    mine.update(stopped_at=database_now(), busy_since=None)


def release_claims_of_the_dead(now: datetime) -> int:
    """Queue again what is claimed by processes that are gone, or past their lease."""
    claimed = Generation.objects.filter(state=Generation.State.CLAIMED)
    owners = set(claimed.order_by().values_list("claimed_by", flat=True).distinct())
    return Generation.objects.take_from_the_dead(now=now, owners=gone(owners, now))


def gone(owners: set[str], now: datetime) -> set[str]:
    """Those of the owners of claims that are no more: not running on this host, or silent for minutes."""
    host = f"{socket.gethostname()}:"
    ended = {owner for owner in owners if owner.startswith(host) and not runs(owner)}
    return ended | set(Worker.objects.dead(now).filter(name__in=owners).values_list("name", flat=True))


def runs(owner: str) -> bool:
    """Whether the process ``host:number`` of this host is running."""
    try:
        os.kill(int(owner.rpartition(":")[2]), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def busy() -> Iterator[None]:
    """While it lasts, this process is not rung for; why it broke off, or what it cannot draw, is written down."""
    mine = Worker.objects.filter(name=worker_name())
    mine.update(busy_since=database_now())
    trouble = ""
    try:
        yield
    except Exception as error:
        trouble = reason_of(error)
        raise
    finally:
        now = database_now()
        hindered = Hindrance.objects.resting(worker_name(), now).order_by("until").values_list("reason", flat=True)
        mine.update(busy_since=None, trouble=trouble or hindered.first() or "", last_seen=now)


class Heart:
    """Tells the database every twenty seconds that this process lives, from a thread of its own."""

    def __init__(self, seconds: float = HEARTBEAT_SECONDS) -> None:
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Heart:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _beat(self) -> None:
        pause = self._seconds
        while not self._stop.wait(pause):
            pause = self._seconds
            try:
                close_old_connections()
                Worker.objects.filter(name=worker_name()).update(last_seen=database_now())
            except Exception as error:
                # The database may be away for a while; the work itself will say so.
                pause = min(SOON_SECONDS, self._seconds)
                logger.info("A sign of life was not written: %s", error)
        connection.close()
