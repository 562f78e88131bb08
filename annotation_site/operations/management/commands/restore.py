"""Puts back what `backup` wrote."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation_site.operations.backups import BackupError, restore


class Command(BaseCommand):
    help = (
        "Put back what `backup` wrote, into a migrated site without rows. Every hash is checked before anything is "
        "changed, and the rows come in one transaction. Stop the web and worker processes first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that `backup` wrote")
        parser.add_argument("--replace", action="store_true", help="delete the rows and files that are here")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = restore(options["folder"], replace=options["replace"])
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(manifest["rows"].values())
        self.stdout.write(f"Restored {rows} rows and {len(manifest['files'])} files of {manifest['made_at']}.")
