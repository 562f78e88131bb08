"""``manage.py analyse KIND STUDY``: one of the library's analyses over a study's images, for its page on the site."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation_site.analyses.people import both_seen
from annotation_site.analyses.source import StudyReader
from annotation_site.analyses.stored import KINDS, publish
from annotation_site.studies.lookup import study_or_error
from annotation_site.studies.models import Study
from attribution.errors import AttributionError
from attribution.report.command import JOBS, add_options


class Command(BaseCommand):
    help = (
        "Analyse a study's finished images: "
        + "; ".join(f"{kind} ({text[0].lower()}{text[1:]})" for kind, text in KINDS.items())
        + ". Words come from the database. Each image is measured once, into records.jsonl in --out, and a run that "
        "was stopped goes on; page, JSON, CSV and figure are written there, and the site's page shows them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=sorted(KINDS), metavar="KIND", help=", ".join(sorted(KINDS)))
        parser.add_argument("slug", metavar="STUDY", help="the study's slug")
        parser.add_argument("--out", type=Path, metavar="DIR", help="default: analyses/STUDY/KIND in ATTEST_DATA")
        add_options(parser)

    def handle(self, *, kind: str, slug: str, out: Path | None, **options: Any) -> None:
        from attribution.report.page import write
        from attribution.report.run import analyse

        study = study_or_error(slug)
        out = out or settings.DATA_DIR / "analyses" / slug / kind
        try:
            report, tally = analyse(_job(kind, study, options), StudyReader(study), out, again=options["again"])
        except AttributionError as error:
            raise CommandError(str(error)) from error
        paths = write(report, tally, out)
        publish(study, kind, report, tally, paths, now=timezone.now())
        self.stdout.write(report.tables[0].as_text())
        self.stdout.write(f"{tally.measured} images measured, {tally.resumed} already there, {tally.skipped} skipped.")
        for broken in tally.named:
            self.stdout.write(f"skipped: {broken.name}: {broken.reason}")
        self.stdout.write(f"{paths[0]}")


def _job(kind: str, study: Study, options: dict[str, Any]) -> Any:
    job: Any = JOBS[kind](Namespace(answers=None, folder=study.slug, parser=None, **options))
    if kind == "adjectives":
        return replace(job, reader=StudyReader(study))
    return replace(job, answers=both_seen(study)) if kind == "cohyponyms" else job
