"""Make invitation links of a study, or take them back."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from annotation_site.raters.models import Source
from annotation_site.raters.sources.invitations import make_batch, revoke
from annotation_site.raters.sources.presets import new_source
from annotation_site.rating.assignment import database_now
from annotation_site.recruitment.handouts import table
from annotation_site.studies.lookup import study_or_error
from annotation_site.studies.models import Study


class Command(BaseCommand):
    help = (
        "Make invitation links for one person each, and print them as CSV (batch, number, link). They are told this "
        "once: the database keeps hashes only. With --revoke, take a batch back instead."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="slug of the study")
        parser.add_argument("--batch", required=True, help="name of the batch, to find and take back its links")
        parser.add_argument("--number", type=int, default=10, help="how many links (default: 10)")
        parser.add_argument("--days", type=int, default=None, help="valid for so many days (default: for good)")
        parser.add_argument("--source", default="invitation", help="name of the way in, made if missing")
        parser.add_argument("--site", default="http://localhost:8000", help="address of this site, as raters reach it")
        parser.add_argument("--revoke", action="store_true", help="take the batch back")

    def handle(self, *args: Any, **options: Any) -> None:
        source, now = _source(study_or_error(options["study"]), options["source"]), database_now()
        if options["revoke"]:
            self.stdout.write(f"{revoke(source, batch=options['batch'], now=now)} links were taken back.")
            return
        if options["days"] is not None and options["days"] < 1:
            raise CommandError(f"--days {options['days']}: give at least 1, or leave it out.")
        until = now + timedelta(days=options["days"]) if options["days"] else None
        try:
            links = make_batch(source, number=options["number"], batch=options["batch"], expires_at=until)
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(table(links, options["batch"], options["site"].rstrip("/")), ending="")


def _source(study: Study, name: str) -> Source:
    found = study.sources.filter(name=name).first()
    if found is not None:
        return found
    made = new_source(study, "invitation", name)
    try:
        made.full_clean()
    except ValidationError as error:
        raise CommandError(f"--source {name!r}: {' '.join(error.messages)}") from error
    made.save()
    return made
