"""Lets simulated raters answer an open study."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation_site.rating.simulation import simulate
from annotation_site.studies.lookup import study_or_error


class Command(BaseCommand):
    help = (
        "Let simulated raters answer an open study, to see its report filled or to load the site. They are marked as "
        "simulated, and no report counts them unless it says so. They take seats that people could have."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's slug")
        parser.add_argument("--raters", type=int, default=9, help="how many (default: 9)")
        parser.add_argument("--seed", type=int, default=0, help="decides their answers (default: 0)")

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_or_error(options["slug"])
        if options["raters"] < 1:
            raise CommandError(f"--raters is {options['raters']}: it must be at least 1.")
        if not study.is_open:
            raise CommandError(f"Study {study.slug!r} is {study.state}: open it first (manage.py open_study).")
        given = simulate(study, raters=options["raters"], seed=options["seed"])
        self.stdout.write(f"{options['raters']} simulated raters gave {given} judgements in {study.slug!r}.")
