"""Compares every stored image and map with the hash in its row."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotation_site.operations import stored_files
from annotation_site.operations.stored_files import Damage
from annotation_site.storage import StorageUnusable


class Command(BaseCommand):
    help = (
        "Read every stored image and map and name each that is missing or damaged, with the reason and the items (as "
        "study/position) that show it. Ends with 1 while something is damaged."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--requeue",
            action="store_true",
            help="have damaged images drawn again: their items are shown to nobody until then, judgements stay",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found, left = 0, 0
        with tqdm(total=stored_files.count(), unit="file") as bar:
            try:
                for damage in stored_files.damaged(bar.update):
                    found += 1
                    left += not self._told(damage, requeue=options["requeue"])
            except StorageUnusable as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"{found} damaged; {found - left} of them will be drawn again.")
        if left:
            raise CommandError(f"{left} damaged files are left: restore them from a backup{self._hint(options)}.")

    def _told(self, damage: Damage, *, requeue: bool) -> bool:
        """Print it; whether it will be drawn again."""
        queued = requeue and damage.draw_again()
        shown = f" (shown by {', '.join(damage.items)})" if damage.items else " (shown by no item)"
        self.stdout.write(f"{damage.name}: {damage.reason}{shown}{': queued again' if queued else ''}")
        return queued

    def _hint(self, options: dict[str, Any]) -> str:
        return "; imported files and maps of arms cannot be drawn here" if options["requeue"] else ", or use --requeue"
