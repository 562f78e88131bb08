"""``manage.py report SLUG``: a study's report in the terminal, or as files."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation_site.reports.figure import FORMATS, figure_bytes
from annotation_site.reports.formats import as_csv, as_json
from annotation_site.reports.report import SEED, Report, build_report
from annotation_site.reports.text import as_text
from annotation_site.studies.models import Study


class Command(BaseCommand):
    help = (
        "Report a study: per tag (or condition) what was judged, the scores with 95% intervals, and agreement. "
        "The same data and seed give the same numbers, and the same bytes in every file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's short name, as in its address")
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="write report.json, rows.csv, figure.svg, figure.png"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON in place of the table")
        parser.add_argument(
            "--include-simulated", action="store_true", help="add simulated raters' numbers, apart from people's"
        )
        parser.add_argument("--seed", type=int, default=SEED, help="seed of the bootstraps (default: %(default)s)")

    def handle(self, *, slug: str, out: Path | None, seed: int, include_simulated: bool, **options: Any) -> None:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            known = ", ".join(Study.objects.order_by("slug").values_list("slug", flat=True))
            raise CommandError(f"There is no study {slug!r}. Studies there are: {known or 'none yet'}.")
        if seed < 0:
            raise CommandError(f"--seed is {seed}: give a whole number of at least 0.")
        report = build_report(study, seed=seed, include_simulated=include_simulated)
        self.stdout.write(as_json(report) if options["json"] else as_text(report), ending="")
        if out is not None:
            for path in write_files(report, out):
                self.stderr.write(f"wrote {path}")


def write_files(report: Report, folder: Path) -> list[Path]:
    """Every file of a report; the simulated raters' figure is a file of its own."""
    contents = {"report.json": as_json(report).encode(), "rows.csv": as_csv(report).encode("utf-8-sig")}
    for section, suffix in zip(report.sections, ("", "-simulated"), strict=False):
        contents |= {f"figure{suffix}.{form}": figure_bytes(report, section, form) for form in FORMATS}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise CommandError(f"Cannot write to {folder}: {error.strerror}. Choose another --out.") from error
    return [folder / name for name in contents]
