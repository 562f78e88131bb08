"""How large a study has to be, in lines and tables: what ``manage.py plan_study`` and the planning page show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation_site.reports import published
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
SHARES = (published.SHARE_RIGHT["non-cohyponyms"], published.SHARE_RIGHT["cohyponyms"])


@dataclass(frozen=True)
class Question:
    """What is planned: two shares, or the true means of two or more tags where ``means`` are given.

    ``per_group`` is what the study has of each; ``images_a_pair`` images share a noun pair, and two of those correlate
    by ``correlation``.
    """

    shares: tuple[float, float] = SHARES
    means: tuple[float, ...] = ()
    spread: float = SPREAD
    per_group: int = 200
    alpha: float = 0.05
    images_a_pair: float = 1
    correlation: float = 0.0
    seed: int = 0

    @property
    def effect(self) -> float:
        return design_effect(self.images_a_pair, self.correlation)


@dataclass(frozen=True)
class Plan:
    """Lines before a table, its heads and rows, and lines after it; no table where there are no heads."""

    before: tuple[str, ...]
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    after: tuple[str, ...] = ()


def plan(asked: Question) -> Plan:
    """The answer; raises AnalysisError, which names what cannot be planned."""
    if not asked.effect:
        raise AnalysisError(
            f"correlation is {asked.correlation:g}: {asked.images_a_pair:g} images cannot repel each other so."
        )
    return _means(asked) if asked.means else _shares(asked)


def _shares(asked: Question) -> Plan:
    (p1, p2), alpha, each, effect = asked.shares, asked.alpha, asked.per_group, asked.effect
    needed = [_whole(sample_size_two_proportions(p1, p2, power, alpha) * effect) for power in POWERS]
    found = power_two_proportions(p1, p2, each / effect, alpha)
    return Plan(
        before=(
            f"Shares {p1:.0%} and {p2:.0%}, p < {alpha:g}, design effect {effect:g}.",
            f"Observed like that, they differ significantly from {significant_from(p1, p2, alpha)} images a condition.",
        ),
        heads=("to find such a true difference with power", "images a condition"),
        rows=tuple((f"{power:.0%}", str(number)) for power, number in zip(POWERS, needed, strict=True)),
        after=(f"{each} images a condition find it with power {found:.0%}.",),
    )


def _means(asked: Question) -> Plan:
    if len(asked.means) < 2:
        raise AnalysisError(f"means {asked.means[0]:g}: give the means of at least two tags.")
    each = asked.per_group / asked.effect
    least = detectable_difference(asked.spread, each, 0.8, asked.alpha)
    before = (
        f"Standard deviation {asked.spread:g}, p < {asked.alpha:g}, {asked.per_group} pairs a tag.",
        f"They find a difference of {least:.2f} with power 80%.",
    )
    return _two_means(asked, before) if len(asked.means) == 2 else _contrasts(asked, before)


def _two_means(asked: Question, before: tuple[str, ...]) -> Plan:
    first, second = asked.means
    gap, said = abs(first - second), f"Means {first:g} and {second:g}"
    if not gap:
        return Plan((*before, f"{said} are equal: no size finds nothing."))
    found = power_two_means(gap, asked.spread, asked.per_group / asked.effect, asked.alpha)
    needed = _whole(sample_size_two_means(gap, asked.spread, 0.8, asked.alpha) * asked.effect)
    return Plan((*before, f"{said}: power {found:.0%}; 80% needs {needed} pairs a tag."))


def _contrasts(asked: Question, before: tuple[str, ...]) -> Plan:
    means = asked.means
    pairs = [(one, two) for one in range(len(means)) for two in range(one + 1, len(means))]
    found = power_of_contrasts(
        means,
        asked.spread,
        asked.per_group / asked.effect,
        pairs,
        rng=np.random.default_rng(asked.seed),
        alpha=asked.alpha,
    )
    rows = [
        (f"{means[one]:g} and {means[two]:g}", f"{power:.0%}")
        for (one, two), power in zip(pairs, found.each, strict=True)
    ]
    after = (f"Any of them: {found.any:.0%}; all of them: {found.all:.0%}.",)
    return Plan(before, ("contrast, after Holm's correction", "power"), tuple(rows), after)


def _whole(number: float) -> int:
    """Rounded up; what is a whole number but for rounding stays."""
    return round(number + 0.499)
