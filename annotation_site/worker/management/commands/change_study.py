"""Makes a draft study of what changed between two images from a file of swap sets."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from annotation_site.studies.models import Study
from annotation_site.worker.study_command import StudyCommand
from annotation_site.worker.swaps import change_study


class Command(StudyCommand):
    help = (
        "Make a draft study that asks what changed between two images of a swap set, such as "
        "'a {rusty, metallic, wooden} shovel in a clean shed': the set's first prompt beside each other one, drawn "
        "from the same seed. The images are queued; their attention is not replayed."
    )
    at_least_one = ("images",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--sets", required=True, type=Path, help="text file, one swap set a line")
        parser.add_argument("--images", type=int, default=1, help="seeds of each set (default: 1)")

    def make(self, options: dict[str, Any], **common: Any) -> Study:
        return change_study(
            templates=_lines(options["sets"]),
            images=options["images"],
            source=options["sets"].name,
            pipeline=settings.ATTEST_LANGUAGE_PIPELINE,
            **common,
        )


def _lines(path: Path) -> list[str]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--sets {path}: {error}") from error
    if not lines:
        raise CommandError(f"--sets {path} is empty: write one swap set a line.")
    twice = {line for line in lines if lines.count(line) > 1}
    if twice:
        raise CommandError(f"--sets {path} says {sorted(twice)[0]!r} twice: leave one.")
    return lines
