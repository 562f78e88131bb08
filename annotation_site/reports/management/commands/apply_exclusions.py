"""``manage.py apply_exclusions SLUG``: whom the study's own rules exclude, and their exclusion."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation_site.rating.assignment import database_now
from annotation_site.reports.exclusions import apply, hits
from annotation_site.reports.loading import load
from annotation_site.studies.lookup import study_or_error


class Command(BaseCommand):
    help = (
        "Show whom the study's exclusion rules exclude and why; with --apply, exclude them. Their answers stay stored, "
        "and reports show every headline before and after. The rules are part of the study, fixed when it opens."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's short name, as in its address")
        parser.add_argument("--apply", action="store_true", help="exclude them")

    def handle(self, *, slug: str, **options: Any) -> None:
        study = study_or_error(slug)
        if not study.exclusion_rules:
            raise CommandError(f"Study {slug!r} has no exclusion rules: state them in the admin before it opens.")
        found = hits(load(study))
        for hit in found:
            self.stdout.write(f"{hit.rater}  {hit.reason}")
        numbers = Counter(hit.rule for hit in found)
        for rule in study.exclusion_rules:
            self.stdout.write(f"{rule['name']} -> {numbers[rule['name']]}")
        if options["apply"]:
            self.stdout.write(f"{apply(study, found, database_now())} raters newly excluded.")
        elif found:
            self.stdout.write("Nobody was excluded: give --apply to do it.")
