"""Writes the site to a folder."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation_site.operations.backups import BackupError, back_up
from annotation_site.rating.assignment import database_now


class Command(BaseCommand):
    help = (
        "Write every row and every file of the site to a new folder, with their hashes. The site goes on meanwhile. "
        "The secret key is not in it: keep that elsewhere, for raters' tickets and logins are signed with it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that does not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = back_up(options["folder"], now=database_now())
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(manifest["rows"].values())
        self.stdout.write(f"{options['folder']}: {rows} rows, {len(manifest['files'])} files.")
