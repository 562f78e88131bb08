"""Makes a draft presence study of cohyponyms."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from annotation_site.stimuli.models import Generation
from annotation_site.studies.building import StudyExists
from annotation_site.worker.cohyponyms import COCO_NAME, TINYWORLD, cohyponym_study
from annotation_site.worker.generation import wanted_by
from annotation_site.worker.sampling import recipe_of
from attribution.errors import AttributionError


class Command(BaseCommand):
    help = (
        "Make a draft study that asks which of two objects are present: prompts 'a(n) X and a(n) Y', half of them "
        "cohyponyms, half not, matched so that each noun stands equally often on both sides. The same ontology, "
        "numbers and --seed give the same study."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", required=True, metavar="SLUG", help="slug of the new study")
        parser.add_argument("--title", default="", help="its title (default: made from the slug)")
        parser.add_argument(
            "--ontology",
            default="",
            help="coco, tinyworld, or a JSON file as `python -m attribution ontology` makes it from WordNet "
            "(default: tinyworld for the shipped model, else coco)",
        )
        parser.add_argument("--prompts", type=int, default=500, help="how many, an even number (default: 500)")
        parser.add_argument("--seeds", type=int, default=1, help="images of each prompt (default: 1)")
        parser.add_argument("--seed", type=int, default=0, help="decides the draw and every image's seed (default: 0)")
        parser.add_argument("--seats", type=int, default=3, help="raters for each image (default: 3)")
        parser.add_argument("--cap-share", type=float, default=0.18, help="largest share of one rater (default: 0.18)")
        parser.add_argument("--model", default=settings.ATTEST_MODEL, help=f"(default: {settings.ATTEST_MODEL})")
        parser.add_argument("--revision", default="", help="a hub model's pinned revision")
        parser.add_argument("--steps", type=int, help="inference steps (default: the model's usual number)")
        parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"])

    def handle(self, *args: Any, **options: Any) -> None:
        for name in ("prompts", "seeds", "seats", "steps"):
            if options[name] is not None and options[name] < 1:
                raise CommandError(f"--{name} is {options[name]}: it must be at least 1.")
        usual = TINYWORLD if options["model"] == TINYWORLD else COCO_NAME
        try:
            study = cohyponym_study(
                slug=options["study"],
                title=options["title"] or options["study"].replace("-", " ").capitalize(),
                ontology=options["ontology"] or usual,
                **{name: options[name] for name in ("prompts", "seeds", "seed")},
                recipe=recipe_of(options["model"], **{name: options[name] for name in ("revision", "steps", "dtype")}),
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
