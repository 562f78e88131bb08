"""Draws word-prompt pairs by part of speech and makes a draft study of them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from annotation_site.stimuli.models import Generation
from annotation_site.studies.arms import ArmError
from annotation_site.studies.building import StudyExists
from annotation_site.worker.generation import wanted_by
from annotation_site.worker.sampling import Draw, recipe_of, sample_study
from attribution.errors import AttributionError
from attribution.language.sampling import Sample, TagRow


class Command(BaseCommand):
    help = (
        "Draw word-prompt pairs of the most common part-of-speech tags from captions, and make a draft study of them: "
        "its prompts with their words, one queued generation with a seed of its own for each pair, and its items. "
        "The same captions, numbers and --seed give the same study."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--captions",
            required=True,
            help="COCO's captions_*.json, a text file (one caption a line), a CSV with a column 'caption', "
            "or the word tinyworld for captions of the shipped model's world",
        )
        parser.add_argument("--study", required=True, metavar="SLUG", help="slug of the new study")
        parser.add_argument("--title", default="", help="its title (default: made from the slug)")
        parser.add_argument("--per-tag", type=int, default=200, help="pairs of each tag (default: 200)")
        parser.add_argument("--tags", type=int, default=14, help="how many of the most common tags (default: 14)")
        parser.add_argument(
            "--seed", type=int, default=0, help="decides every draw and every image's seed (default: 0)"
        )
        parser.add_argument("--cap-per-word", type=int, help="at most this many pairs of one word within a tag")
        parser.add_argument("--allow-fewer", action="store_true", help="take what there is where a tag has fewer pairs")
        parser.add_argument("--seats", type=int, default=3, help="raters for each pair (default: 3)")
        parser.add_argument("--cap-share", type=float, default=0.18, help="largest share of one rater (default: 0.18)")
        parser.add_argument(
            "--arms",
            default="",
            metavar="LIST",
            help="show each word with several maps, blind to the rater: daam and any of other-word, blob, uniform, "
            "with commas (default: its own map alone)",
        )
        model = parser.add_argument_group("the images; by default the model's usual recipe")
        model.add_argument("--model", default=settings.ATTEST_MODEL, help=f"(default: {settings.ATTEST_MODEL})")
        model.add_argument("--revision", default="", help="a hub model's pinned revision")
        model.add_argument("--steps", type=int, help="inference steps")
        model.add_argument("--guidance", type=float, help="classifier-free guidance scale")
        model.add_argument("--height", type=int, help="pixels")
        model.add_argument("--width", type=int, help="pixels")
        model.add_argument("--dtype", choices=["float32", "float16", "bfloat16"])

    def handle(self, *args: Any, **options: Any) -> None:
        for name in ("per_tag", "tags", "cap_per_word", "seats", "steps", "height", "width"):
            if options[name] is not None and options[name] < 1:
                raise CommandError(f"--{name.replace('_', '-')} is {options[name]}: it must be at least 1.")
        recipe_names = ("revision", "steps", "guidance", "height", "width", "dtype")
        draw_names = ("per_tag", "seed", "tags", "cap_per_word", "allow_fewer")
        try:
            study, sample = sample_study(
                source=options["captions"],
                slug=options["study"],
                title=options["title"] or options["study"].replace("-", " ").capitalize(),
                draw=Draw(**{name: options[name] for name in draw_names}),
                recipe=recipe_of(options["model"], **{name: options[name] for name in recipe_names}),
                pipeline=settings.ATTEST_LANGUAGE_PIPELINE,
                seats_per_item=options["seats"],
                cap_share=options["cap_share"],
                arms=[arm.strip() for arm in options["arms"].split(",") if arm.strip()],
            )
        except ValidationError as error:
            fields = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
            raise CommandError(f"The study {options['study']!r} cannot be made: {fields}") from error
        except (AttributionError, StudyExists, ArmError) as error:
            raise CommandError(str(error)) from error
        self._print(sample)
        waiting = wanted_by(study).filter(state=Generation.State.QUEUED).count()
        self.stdout.write(f"Draft study {study.slug!r}: {study.items.count()} items, {waiting} generations queued.")
        self.stdout.write(f"Next: manage.py precompute {study.slug}, then manage.py open_study {study.slug}")

    def _print(self, sample: Sample) -> None:
        self.stdout.write(f"{'tag':<7}{'words':>9}{'left out':>10}{'pairs':>9}{'distinct':>10}{'sampled':>9}")
        for row in sample.table:
            self._print_row(row)
        if sample.left_out:
            rarer = ", ".join(f"{row.tag} {row.words}" for row in sample.left_out)
            self.stdout.write(f"Rarer tags, not sampled: {rarer}.")
        for row in sample.table:
            for rule, count in row.filtered.items():
                self.stdout.write(f"{row.tag}: {count} left out, {rule}.")

    def _print_row(self, row: TagRow) -> None:
        self.stdout.write(
            f"{row.tag:<7}{row.words:>9}{sum(row.filtered.values()):>10}{row.candidates:>9}"
            f"{row.distinct_words:>10}{row.sampled:>9}"
        )
