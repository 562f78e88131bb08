"""What the commands share that give a draft study items with known answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from annotation_site.studies.gold import StudyStarted
from annotation_site.studies.lookup import study_or_error
from annotation_site.studies.models import Item, Study
from annotation_site.worker.known_items import NothingKnown
from annotation_site.worker.manifest import BadManifest, add_from_manifest


class KnownItemsCommand(BaseCommand):
    """Adds ``count`` items found in the study's own pictures, or those of a manifest."""

    purpose: str
    count: int
    words: str
    find: Callable[[Study, int], list[Item]]
    from_manifest = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's slug; a draft whose pictures are made")
        parser.add_argument("--count", type=int, default=self.count, help=f"how many (default: {self.count})")
        if self.from_manifest:
            parser.add_argument(
                "--manifest", type=Path, help="JSON list of pictures, words and masks (docs/designing-a-study.md)"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_or_error(options["slug"])
        if options["count"] < 1:
            raise CommandError(f"--count is {options['count']}: it must be at least 1.")
        try:
            made = self._add(study, options.get("manifest"), options["count"])
        except (NothingKnown, StudyStarted, BadManifest) as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if not made:
            raise CommandError(
                f"Study {study.slug!r} has no finished picture that serves: run precompute first, or draw more pairs."
            )
        self.stdout.write(f"{study.slug}: {len(made)} {self.words}.")

    @transaction.atomic
    def _add(self, study: Study, manifest: Path | None, count: int) -> list[Item]:
        if manifest is not None:
            return add_from_manifest(study, manifest, self.purpose)
        return type(self).find(study, count)
