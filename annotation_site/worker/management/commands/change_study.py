"""Makes a draft study of what changed between two images from a file of swap sets."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from annotation_site.stimuli.models import Generation
from annotation_site.studies.building import StudyExists
from annotation_site.worker.generation import wanted_by
from annotation_site.worker.sampling import recipe_of
from annotation_site.worker.swaps import change_study
from attribution.errors import AttributionError


class Command(BaseCommand):
    help = (
        "Make a draft study that asks what changed between two images of a swap set, such as "
        "'a {rusty, metallic, wooden} shovel in a clean shed': the set's first prompt beside each other one, drawn "
        "from the same seed. The images are queued; their attention is not replayed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sets", required=True, type=Path, help="text file, one swap set a line")
        parser.add_argument("--study", required=True, metavar="SLUG", help="slug of the new study")
        parser.add_argument("--title", default="", help="its title (default: made from the slug)")
        parser.add_argument("--images", type=int, default=1, help="seeds of each set (default: 1)")
        parser.add_argument("--seed", type=int, default=0, help="decides the order and every image's seed (default: 0)")
        parser.add_argument("--seats", type=int, default=3, help="raters for each pair of images (default: 3)")
        parser.add_argument("--cap-share", type=float, default=0.18, help="largest share of one rater (default: 0.18)")
        parser.add_argument("--model", default=settings.ATTEST_MODEL, help=f"(default: {settings.ATTEST_MODEL})")
        parser.add_argument("--revision", default="", help="a hub model's pinned revision")
        parser.add_argument("--steps", type=int, help="inference steps")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["images"] < 1:
            raise CommandError(f"--images is {options['images']}: it must be at least 1.")
        templates = _lines(options["sets"])
        try:
            study = change_study(
                slug=options["study"],
                title=options["title"] or options["study"].replace("-", " ").capitalize(),
                templates=templates,
                images=options["images"],
                seed=options["seed"],
                recipe=recipe_of(options["model"], revision=options["revision"], steps=options["steps"]),
                source=options["sets"].name,
                pipeline=settings.ATTEST_LANGUAGE_PIPELINE,
                seats_per_item=options["seats"],
                cap_share=options["cap_share"],
            )
        except ValidationError as error:
            fields = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
            raise CommandError(f"The study {options['study']!r} cannot be made: {fields}") from error
        except (AttributionError, StudyExists) as error:
            raise CommandError(str(error)) from error
        waiting = wanted_by(study).filter(state=Generation.State.QUEUED).count()
        self.stdout.write(f"Draft study {study.slug!r}: {study.items.count()} items, {waiting} generations queued.")
        self.stdout.write(f"Next: manage.py precompute {study.slug}, then manage.py open_study {study.slug}")


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
