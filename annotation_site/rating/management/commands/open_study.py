"""Opens, pauses or closes a study."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation_site.rating import assignment
from annotation_site.studies.lookup import study_or_error


class Command(BaseCommand):
    help = (
        "Open a study to raters: makes its seats and fixes the cap. With --pause or --close it stops handing out "
        "items; answers on their way are still taken."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's slug")
        end = parser.add_mutually_exclusive_group()
        end.add_argument("--pause", action="store_true", help="stop for now; open_study opens it again")
        end.add_argument("--close", action="store_true", help="end it for good")

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_or_error(options["slug"])
        if options["pause"] or options["close"]:
            change, word = (
                (assignment.pause_study, "paused") if options["pause"] else (assignment.close_study, "closed")
            )
            if not change(study):
                raise CommandError(f"Study {study.slug!r} is {study.state} and cannot be {word}.")
            self.stdout.write(f"{study.slug} is {word}.")
            return
        try:
            seats = assignment.open_study(study)
        except assignment.StudyNotReady as error:
            raise CommandError(str(error)) from error
        study.refresh_from_db()
        self.stdout.write(f"{study.slug} is open: {seats} seats, at most {study.cap} judgements a rater.")
        self.stdout.write(f"Raters start at /studies/{study.slug}/")
