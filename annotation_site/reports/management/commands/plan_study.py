"""``manage.py plan_study``: how many images or pairs a study needs, before it is made."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from annotation_site.reports import published
from annotation_site.reports.text import aligned
from attribution.analysis.power import (
    design_effect,
    detectable_difference,
    power_of_contrasts,
    power_two_means,
    power_two_proportions,
    sample_size_two_means,
    sample_size_two_proportions,
    significant_from,
)
from attribution.errors import AnalysisError

POWERS = (0.5, 0.8, 0.9)
SPREAD = 0.9


class Command(BaseCommand):
    help = (
        "Plan a study: how many images a condition needs to tell two shares apart (by default the paper's 61% and 52%),"
        " or how many pairs a tag needs to tell two mean opinion scores apart; two-sided, by the pooled z test. With "
        "--tags, the chance to find each of all contrasts between tags after Holm's correction."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        shares = [published.SHARE_RIGHT["non-cohyponyms"], published.SHARE_RIGHT["cohyponyms"]]
        parser.add_argument(
            "--shares", nargs=2, type=float, default=shares, metavar="P", help="two shares right (default: the paper's)"
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
        try:
            effect = design_effect(options["images_a_pair"], options["correlation"])
            lines = self._means(options, effect) if options["means"] else self._shares(options, effect)
        except AnalysisError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join(lines))

    def _shares(self, options: dict[str, Any], effect: float) -> list[str]:
        (p1, p2), alpha, each = options["shares"], options["alpha"], options["per_group"]
        rows = [
            [f"{power:.0%}", str(round(sample_size_two_proportions(p1, p2, power, alpha) * effect + 0.499))]
            for power in POWERS
        ]
        power = power_two_proportions(p1, p2, each / effect, alpha)
        return [
            f"Shares {p1:.0%} and {p2:.0%}, p < {alpha:g}, design effect {effect:g}.",
            f"Observed like that, they differ significantly from {significant_from(p1, p2, alpha)} images a condition.",
            aligned(["to find such a true difference with power", "images a condition"], rows),
            f"{each} images a condition find it with power {power:.0%}.",
        ]

    def _means(self, options: dict[str, Any], effect: float) -> list[str]:
        means, spread, alpha = options["means"], options["spread"], options["alpha"]
        each = options["per_group"] / effect
        if len(means) < 2:
            raise CommandError(f"--means {means}: give the means of at least two tags.")
        lines = [
            f"Standard deviation {spread:g}, p < {alpha:g}, {options['per_group']} pairs a tag.",
            f"They find a difference of {detectable_difference(spread, each, 0.8, alpha):.2f} with power 80%.",
        ]
        if len(means) == 2:
            gap = abs(means[0] - means[1])
            needed = sample_size_two_means(gap, spread, 0.8, alpha) if gap else 0
            lines.append(
                f"Means {means[0]:g} and {means[1]:g}: power {power_two_means(gap, spread, each, alpha):.0%}; "
                + (f"80% needs {round(needed * effect + 0.499)} pairs a tag." if gap else "no size finds nothing.")
            )
            return lines
        pairs = [(one, two) for one in range(len(means)) for two in range(one + 1, len(means))]
        rng = np.random.default_rng(options["seed"])
        found = power_of_contrasts(means, spread, each, pairs, rng=rng, alpha=alpha)
        rows = [
            [f"{means[one]:g} and {means[two]:g}", f"{power:.0%}"]
            for (one, two), power in zip(pairs, found.each, strict=True)
        ]
        lines.append(aligned(["contrast, after Holm's correction", "power"], rows))
        return [*lines, f"Any of them: {found.any:.0%}; all of them: {found.all:.0%}."]
