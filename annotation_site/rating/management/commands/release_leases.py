"""Frees the leases that have run out."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from annotation_site.rating import assignment


class Command(BaseCommand):
    help = (
        "Free the seats whose lease has run out, by the database's clock. Claims do this as well, a hundred at a "
        "time, and Celery beat does it each minute; run this from cron where there is no beat and studies are quiet."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{assignment.release_all_expired(now=assignment.database_now())} leases had run out.")
