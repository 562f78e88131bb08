"""Makes the studies that researchers ordered in the browser."""

from __future__ import annotations

from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation_site.studies.models import StudyOrder
from annotation_site.worker.fleet import worker_name
from annotation_site.worker.orders import carry_out_next


class Command(BaseCommand):
    help = (
        "Make the draft studies that researchers ordered under /research/, the oldest order first, and queue their "
        "images. What cannot be made is marked as failed with the reason, which its researcher reads. Safe to repeat "
        "and to run several times at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--poll",
            type=float,
            metavar="SECONDS",
            help="go on, and look for new orders this often, until interrupted (default: end when none waits)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        poll = options["poll"]
        if poll is not None and not 0.1 <= poll <= 3600:
            raise CommandError(f"--poll is {poll:g}: give seconds from 0.1 to 3600.")
        while True:
            while (order := carry_out_next(worker_name())) is not None:
                self._say(order)
            if poll is None:
                return
            Event().wait(poll)

    def _say(self, order: StudyOrder) -> None:
        name = order.choices.get("slug", "")
        if order.error:
            self.stderr.write(f"{name}: {order.get_state_display()}: {order.error}")
        else:
            self.stdout.write(f"{name}: {order.get_state_display()}; draw its images with: precompute {name}")
