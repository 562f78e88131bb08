"""Adds another method's maps to a draft study, to compare them with its own."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from annotation_site.studies.arms import ArmError, add_arm
from annotation_site.studies.lookup import study_or_error
from annotation_site.studies.maps import item_map
from attribution.errors import AttributionError


class Command(BaseCommand):
    help = (
        "Add another method's heat maps to a draft study as an arm: raters see the same words of the same images with "
        "its maps too, blind to which is which, and the report compares them. The folder holds one file a word, "
        "IDENTITY-START-END.npy (float32 or uint8, height x width): the image's identity and the word's characters in "
        "its prompt, as manage.py export_study writes them to items.csv."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the draft study's slug")
        parser.add_argument("--arm", required=True, metavar="NAME", help="the method's name, as reports show it")
        parser.add_argument("--maps", required=True, type=Path, metavar="DIR", help="the folder of the maps")

    def handle(self, *, slug: str, arm: str, maps: Path, **options: Any) -> None:
        study = study_or_error(slug)
        try:
            with transaction.atomic():
                added = add_arm(study, arm, maps)
                for item in study.items.filter(arm=arm).iterator():
                    # Refuses here, not in front of a rater, what is no map.
                    item_map(item)
        except (ArmError, AttributionError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{added} items with maps of {arm!r} added to {slug!r}.")
