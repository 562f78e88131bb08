"""Sends the e-mail alerts that are due."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from annotation_site.alerts.sending import send
from annotation_site.alerts.tasks import looked


class Command(BaseCommand):
    help = (
        "Look at every running study, and send the e-mail alerts that are due to those who asked for them. Celery beat "
        "and a worker do this each minute; run it from cron where there are none."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes = [send(pk) for pk in looked()]
        self.stdout.write(f"{outcomes.count(True)} sent, {outcomes.count(False)} not sent (see the studies' pages).")
