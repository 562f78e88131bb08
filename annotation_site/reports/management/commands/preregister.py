"""``manage.py preregister SLUG``: freeze what a study is to be, before its data comes in."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation_site import audit
from annotation_site.rating.assignment import database_now
from annotation_site.reports.exports.folders import FolderTaken, new_folder, refuse_filled
from annotation_site.reports.preregistration.bundle import texts
from annotation_site.reports.preregistration.registering import face_text, register
from annotation_site.reports.preregistration.statements import STATEMENTS
from annotation_site.studies.lookup import study_or_error
from annotation_site.studies.models import Registration


class Command(BaseCommand):
    help = (
        "Freeze a study's settings, texts, items, recipes and analyses, with what you state below, under the server's "
        "time and a SHA-256. A registration is never changed: another one is the next version, and the first made "
        "before any answer is the one that counts. Nothing is registered twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's short name, as in its address")
        for name, (question, _help) in STATEMENTS.items():
            said = f"{question} The text, or @FILE to read it from a file"
            parser.add_argument(f"--{name}", default="", metavar="TEXT", help=said)
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="write the registration as JSON and in words to a new folder"
        )

    def handle(self, *, slug: str, out: Path | None, **options: Any) -> None:
        study = study_or_error(slug)
        try:
            if out is not None:
                refuse_filled(out)
            stated = {name: _text(name, options[name]) for name in STATEMENTS}
            made, new = register(study, stated, by=audit.program.get(), now=database_now())
            self.stdout.write(_said(made, new))
            if out is not None:
                _write(made, out)
                self.stdout.write(f"wrote {out}: check it by `sha256sum --check CHECKSUMS` there.")
        except (FolderTaken, ValueError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"Cannot write to {out}: {error.strerror}. Choose another --out.") from error


def _text(name: str, given: str) -> str:
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--{name}: {given[1:]} cannot be read as UTF-8 text ({error}).") from error


def _said(made: Registration, new: bool) -> str:
    what = "registered as" if new else "nothing has changed since"
    return f"{made.study.slug}: {what} version {made.number} at {made.registered_at:%Y-%m-%d %H:%M:%S} UTC\n" + (
        f"SHA-256 {made.sha256}\n{face_text(made.judgements)}"
    )


def _write(made: Registration, out: Path) -> None:
    with new_folder(out) as folder:
        for name, text in texts(made).items():
            (folder / name).write_text(text, encoding="utf-8", newline="")
