"""Sends the webhooks that are due."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from annotation_site.webhooks.sending import deliver
from annotation_site.webhooks.tasks import swept


class Command(BaseCommand):
    help = (
        "Write down what happened in studies that webhooks want to hear of, and send what is due. Celery beat and a "
        "worker do this each half minute; run it from cron where there are none."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes = [deliver(pk) for pk in swept()]
        self.stdout.write(f"{outcomes.count(True)} delivered, {outcomes.count(False)} failed and tried again later.")
