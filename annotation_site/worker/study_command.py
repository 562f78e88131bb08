"""What the commands that make a draft study have in common: its options, its errors, and what to do next."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from annotation_site.stimuli.models import Generation
from annotation_site.stimuli.recipes import recipe_of
from annotation_site.studies.arms import ArmError
from annotation_site.studies.building import StudyExists
from annotation_site.studies.models import Study
from annotation_site.worker.generation import wanted_by
from attribution import records
from attribution.errors import AttributionError

RECIPE = ("revision", "steps", "guidance", "height", "width", "dtype")
AT_LEAST_ONE = ("seats", "steps", "height", "width")


class StudyCommand(BaseCommand):
    """A command that makes a draft study; subclasses add their own options and ``make`` it."""

    at_least_one: tuple[str, ...] = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", required=True, metavar="SLUG", help="slug of the new study")
        parser.add_argument("--title", default="", help="its title (default: made from the slug)")
        parser.add_argument(
            "--seed", type=int, default=0, help="decides every draw and every image's seed (default: 0)"
        )
        parser.add_argument("--seats", type=int, default=3, help="raters for each item (default: 3)")
        parser.add_argument("--cap-share", type=float, default=0.18, help="largest share of one rater (default: 0.18)")
        model = parser.add_argument_group("the images; by default the model's usual recipe")
        model.add_argument("--model", default=settings.ATTEST_MODEL, help=f"(default: {settings.ATTEST_MODEL})")
        model.add_argument("--revision", default="", help="a hub model's pinned revision")
        model.add_argument("--steps", type=int, help="inference steps")
        model.add_argument("--guidance", type=float, help="classifier-free guidance scale")
        model.add_argument("--height", type=int, help="pixels")
        model.add_argument("--width", type=int, help="pixels")
        model.add_argument("--dtype", choices=["float32", "float16", "bfloat16"])

    def make(self, options: dict[str, Any], **common: Any) -> Study:
        """Make the study from the command's own options and ``common``: slug, title, seed, recipe, places and cap."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        for name in (*self.at_least_one, *AT_LEAST_ONE):
            if options[name] is not None and options[name] < 1:
                raise CommandError(f"--{name.replace('_', '-')} is {options[name]}: it must be at least 1.")
        try:
            study = self.make(options, **_common(options))
        except ValidationError as error:
            fields = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
            raise CommandError(f"The study {options['study']!r} cannot be made: {fields}") from error
        except (AttributionError, StudyExists, ArmError) as error:
            raise CommandError(str(error)) from error
        waiting = wanted_by(study).filter(state=Generation.State.QUEUED).count()
        self.stdout.write(f"Draft study {study.slug!r}: {study.items.count()} items, {waiting} generations queued.")
        self.stdout.write(f"Next: manage.py precompute {study.slug}, then manage.py open_study {study.slug}")


def _common(options: dict[str, Any]) -> dict[str, Any]:
    recipe: records.Recipe = recipe_of(options["model"], **{name: options[name] for name in RECIPE})
    return {
        "slug": options["study"],
        "title": options["title"] or options["study"].replace("-", " ").capitalize(),
        "seed": options["seed"],
        "recipe": recipe,
        "seats_per_item": options["seats"],
        "cap_share": options["cap_share"],
    }
