"""Works off whatever is queued, without Redis or Celery."""

from __future__ import annotations

import os
import signal
import threading
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections

from annotation_site.rating.assignment import database_now
from annotation_site.stimuli.models import Worker
from annotation_site.worker import fleet, jobs
from annotation_site.worker.generation import DeviceLost


class Command(BaseCommand):
    help = (
        "Work off whatever is queued, the most urgent first: images and heat maps to draw, studies to build. It looks "
        "for work itself and needs no Redis. Ctrl-C or SIGTERM ends it after the image in hand; what it had claimed "
        "beyond that is queued again. Start one for each GPU (CUDA_VISIBLE_DEVICES chooses it)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--poll", type=float, default=2.0, help="seconds between two looks while nothing is queued (default: 2)"
        )
        parser.add_argument("--until-empty", action="store_true", help="end when nothing is queued any more")
        parser.add_argument("--beside", type=int, metavar="PID", help="end when the process that started this one does")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0.1 <= options["poll"] <= 3600:
            raise CommandError(f"--poll is {options['poll']:g}: give seconds from 0.1 to 3600.")
        self._stop, self._parent = threading.Event(), options["beside"]
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told_to_stop)
        fleet.enlist(Worker.Kind.LOOP)
        try:
            with fleet.Heart():
                self._loop(options["poll"], until_empty=options["until_empty"])
        except DeviceLost as error:
            raise CommandError(f"The device has failed and needs a new process: {error}") from error
        finally:
            fleet.strike_off()

    def _told_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._stop.is_set():
            raise KeyboardInterrupt  # Told twice: at once.
        self._stop.set()

    def _goes_on(self) -> bool:
        return not self._stop.is_set() and self._parent in {None, os.getppid()}

    def _loop(self, poll: float, *, until_empty: bool) -> None:
        while self._goes_on():
            if self._did_something():
                continue
            if until_empty:
                self._refuse_to_leave_work()
                return
            self._stop.wait(poll)

    def _refuse_to_leave_work(self) -> None:
        trouble = Worker.objects.get(name=fleet.worker_name()).trouble
        if trouble and jobs.anything_waiting(database_now()):
            raise CommandError(f"What is queued cannot be done now: {trouble}")

    def _did_something(self) -> bool:
        """Whether there was work, or is now: what a dead worker held. A database that is away is asked again later."""
        try:
            close_old_connections()
            return jobs.one_piece(self._goes_on) > 0 or jobs.sweep(database_now()) > 0
        except DatabaseError as error:
            self.stderr.write(f"The database does not answer, asking again: {error}")
            return False
