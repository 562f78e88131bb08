"""``manage.py plan_study``: how many images or pairs a study needs, before it is made."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation_site.reports.planning import SHARES, SPREAD, Plan, Question, plan
from annotation_site.reports.text import aligned
from attribution.errors import AnalysisError

ASKED = ("spread", "per_group", "alpha", "images_a_pair", "correlation", "seed")


class Command(BaseCommand):
    help = (
        "Plan a study: how many images a condition needs to tell two shares apart (by default the paper's 61% and 52%),"
        " or how many pairs a tag needs to tell two mean opinion scores apart; two-sided, by the pooled z test. With "
        "three means or more, the chance to find each of all contrasts between tags after Holm's correction."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--shares", nargs=2, type=float, default=SHARES, metavar="P", help="two shares right (default: the paper's)"
        )
        parser.add_argument(
            "--means", nargs="+", type=float, metavar="M", help="two or more true means of tags instead"
        )
        parser.add_argument("--spread", type=float, default=SPREAD, help="standard deviation of medians (default: 0.9)")
        parser.add_argument("--per-group", type=int, default=200, help="what the study has of each (default: 200)")
        parser.add_argument("--alpha", type=float, default=0.05, help="significance level (default: 0.05)")
        parser.add_argument("--images-a-pair", type=float, default=1, help="images that share a noun pair (default: 1)")
        parser.add_argument(
            "--correlation", type=float, default=0.0, help="of two images of one noun pair (default: 0)"
        )
        parser.add_argument("--seed", type=int, default=0, help="of the simulated contrasts (default: 0)")

    def handle(self, **options: Any) -> None:
        asked = {name: options[name] for name in ASKED}
        shares, means = tuple(options["shares"]), tuple(options["means"] or ())
        try:
            answer = plan(Question(shares=shares, means=means, **asked))
        except AnalysisError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join(_lines(answer)))


def _lines(answer: Plan) -> list[str]:
    table = [aligned(answer.heads, answer.rows)] if answer.heads else []
    return [*answer.before, *table, *answer.after]
