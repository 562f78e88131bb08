"""What is stored encrypted, under a new key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation_site.operations import reencryption


class Command(BaseCommand):
    help = (
        "Encrypt anew, with the first of ENCRYPTION_KEYS, all that is stored encrypted: ids of raters, secrets of "
        "webhooks and second factors, kept replies. Afterwards older keys can go. It may run while the site is up, "
        "and again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = 0
        for result in reencryption.renew_all():
            self.stdout.write(f"{result.table}: {result.renewed} under the newest key")
            if result.unreadable:
                shown = ", ".join(map(str, result.unreadable[:10]))
                self.stderr.write(f"{result.table}: {len(result.unreadable)} that no key opens (rows {shown})")
            unreadable += len(result.unreadable)
        if unreadable:
            raise CommandError(f"{unreadable} values are under a key that is missing: put it back, and run this again.")
