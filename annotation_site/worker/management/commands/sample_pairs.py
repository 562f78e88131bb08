"""Draws word-prompt pairs by part of speech and makes a draft study of them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from annotation_site.studies.models import Study
from annotation_site.worker.sampling import Draw, sample_study
from annotation_site.worker.study_command import StudyCommand
from attribution.language.sampling import Sample, TagRow

DRAW = ("per_tag", "tags", "cap_per_word", "allow_fewer")


class Command(StudyCommand):
    help = (
        "Draw word-prompt pairs of the most common part-of-speech tags from captions, and make a draft study of them: "
        "its prompts with their words, one queued generation with a seed of its own for each pair, and its items. "
        "The same captions, numbers and --seed give the same study."
    )

    at_least_one = ("per_tag", "tags", "cap_per_word")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--captions",
            required=True,
            help="COCO's captions_*.json, a text file (one caption a line), a CSV with a column 'caption', "
            "or the word tinyworld for captions of the shipped model's world",
        )
        parser.add_argument("--per-tag", type=int, default=200, help="pairs of each tag (default: 200)")
        parser.add_argument("--tags", type=int, default=14, help="how many of the most common tags (default: 14)")
        parser.add_argument("--cap-per-word", type=int, help="at most this many pairs of one word within a tag")
        parser.add_argument("--allow-fewer", action="store_true", help="take what there is where a tag has fewer pairs")
        parser.add_argument(
            "--arms",
            default="",
            metavar="LIST",
            help="show each word with several maps, blind to the rater: daam and any of other-word, blob, uniform, "
            "with commas (default: its own map alone)",
        )

    def make(self, options: dict[str, Any], **common: Any) -> Study:
        draw = Draw(seed=common.pop("seed"), **{name: options[name] for name in DRAW})
        study, sample = sample_study(
            source=options["captions"],
            draw=draw,
            pipeline=settings.ATTEST_LANGUAGE_PIPELINE,
            arms=[arm.strip() for arm in options["arms"].split(",") if arm.strip()],
            **common,
        )
        self._print(sample)
        return study

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
