"""``manage.py report SLUG``: a study's report in the terminal, or as files."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation_site.reports.exports.folders import FolderDamaged, FolderTaken, refuse_filled
from annotation_site.reports.files import write_report
from annotation_site.reports.formats import as_json
from annotation_site.reports.precision import SEED
from annotation_site.reports.report import Report, build_report, report_of
from annotation_site.reports.text import as_text
from annotation_site.studies.lookup import study_or_error


class Command(BaseCommand):
    help = (
        "Report a study: per tag (or condition) what was judged, the scores with 95% intervals, agreement, contrasts, "
        "raters. The same data and seed give the same numbers, and the same bytes in every file; --from-export makes "
        "the same report from an export's folder, without the database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="?", default="", help="the study's short name, as in its address")
        parser.add_argument(
            "--from-export", type=Path, metavar="DIR", help="report on the folder that manage.py export_study wrote"
        )
        parser.add_argument(
            "--out",
            type=Path,
            metavar="DIR",
            help="write HTML, PDF, report.json, figures (SVG, PDF, PNG), tables (CSV, LaTeX), to a new folder",
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON in place of the table")
        parser.add_argument(
            "--include-simulated", action="store_true", help="add simulated raters' numbers, apart from people's"
        )
        parser.add_argument("--seed", type=int, default=SEED, help="seed of the bootstraps (default: %(default)s)")

    def handle(
        self,
        *,
        slug: str,
        from_export: Path | None,
        out: Path | None,
        seed: int,
        include_simulated: bool,
        **options: Any,
    ) -> None:
        if seed < 0:
            raise CommandError(f"--seed is {seed}: give a whole number of at least 0.")
        try:
            if out is not None:
                refuse_filled(out)
            report = _report(slug, from_export, seed=seed, include_simulated=include_simulated)
            self.stdout.write(as_json(report) if options["json"] else as_text(report), ending="")
            self._write(report, out)
        except (FolderDamaged, FolderTaken) as error:
            raise CommandError(str(error)) from error

    def _write(self, report: Report, out: Path | None) -> None:
        if out is None:
            return
        try:
            for path in write_report(report, out):
                self.stderr.write(f"wrote {path}")
        except OSError as error:
            raise CommandError(f"Cannot write to {out}: {error.strerror}. Choose another --out.") from error


def _report(slug: str, from_export: Path | None, **options: Any) -> Report:
    if bool(slug) == (from_export is not None):
        raise CommandError("Name a study, or --from-export and a folder: one of the two.")
    if from_export is None:
        return build_report(study_or_error(slug), **options)
    # PyArrow takes a moment to import, and the usual report does without it.
    from annotation_site.reports.exports.reading import load_export, registered_in

    return report_of(load_export(from_export), registered=registered_in(from_export), **options)
