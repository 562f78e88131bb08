"""Examines the installation."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from annotation_site.operations.doctor import Level, examine


class Command(BaseCommand):
    help = (
        "Try everything that the site needs (settings, database, migrations, clock, broker, cache, storage, disk, "
        "model, GPU) and say what to do about what fails. Ends with 1 when something fails, else with 0."
    )
    # It reports by itself what Django's checks would stop at.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(examine())
        for finding in found:
            self.stdout.write(f"{finding.level:<5}{finding.name:<12}{finding.text}")
            if finding.remedy:
                self.stdout.write(f"{'':17}-> {finding.remedy}")
        levels = [finding.level for finding in found]
        self.stdout.write(f"{levels.count(Level.FAIL)} failed, {levels.count(Level.WARN)} warnings.")
        if Level.FAIL in levels:
            sys.exit(1)
