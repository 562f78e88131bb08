"""Per-tag rows of a study of heat maps, by the paper's rules (see ``attribution.analysis.aggregation``)."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean, median

import numpy as np

from annotation_site.reports import published
from annotation_site.reports.measures import Measure, Share
from annotation_site.reports.tallies import Answers, Group, ItemTally
from attribution.analysis.aggregation import Score, Status, score_pair
from attribution.analysis.alpha import Patterns
from attribution.analysis.intervals import bootstrap_mean, wilson

ALL = "all tags"
FAIR = 3
NO_SCORES = "no scored pair"
NO_RATINGS = "no ratings"
ONE_IMAGE = "one image"


@dataclass(frozen=True)
class TagRow:
    """A tag's items and answers. ``judgements`` = ``ratings`` + ``ratings_on_dropped`` + the two opt-outs.

    ``ratings`` (and ``answers``, how many gave 1 to 5) are those on pairs that are not dropped; alpha and the shares of
    answers are of these. ``pairs`` = scored + dropped + waiting + the two kinds of unscored pairs.
    """

    tag: str
    pairs: int
    judgements: int
    ratings: int
    ratings_on_dropped: int
    too_abstract: int
    too_poor: int
    scored: int
    dropped: int
    waiting: int
    unscored_too_poor: int
    unscored_too_few: int
    mean: Measure
    median: Measure
    fair_answers: Share
    fair_medians: Measure
    fair_medians_count: int
    alpha: Measure
    too_abstract_rate: Share
    answers: tuple[int, ...]
    minimum: int
    interpretable: str
    paper_mean: str
    paper_fair: str

    @property
    def unscored(self) -> int:
        return self.waiting + self.unscored_too_poor + self.unscored_too_few


@dataclass(frozen=True)
class Rules:
    """What the rows depend on beside the answers."""

    places: int
    minimum: int
    seed: int
    resamples: int


def score(tally: ItemTally, places: int) -> Score:
    return _score(tally.answers, tally.answered, places)


@lru_cache(maxsize=4096)
def _score(answers: Answers, answered: int, places: int) -> Score:
    return score_pair(
        answers.given,
        too_abstract=answers.too_abstract,
        too_poor=answers.too_poor,
        answered=answered,
        places=places,
    )


def tag_rows(tallies: Iterable[ItemTally], rules: Rules) -> tuple[tuple[TagRow, ...], TagRow]:
    """One row a tag, in alphabetical order, and the row of all tags together."""
    groups: dict[str, Group] = {}
    for tally in tallies:
        groups.setdefault(tally.group, Group()).add(tally, score(tally, rules.places).median)
    everything = Group()
    for group in groups.values():
        everything.items.update(group.items)
        everything.images.extend(group.images)
        everything.medians.extend(group.medians)
    return tuple(_row(tag, groups[tag], rules) for tag in sorted(groups)), _row(ALL, everything, rules)


def _row(tag: str, group: Group, rules: Rules) -> TagRow:
    statuses: Counter[Status] = Counter()
    kept: Counter[tuple[int, ...]] = Counter()
    total = Answers((0,) * 5, 0, 0)
    for (answered, answers), number in group.items.items():
        status = _score(answers, answered, rules.places).status
        statuses[status] += number
        total = _sum(total, answers, number)
        if status is not Status.DROPPED:
            kept[answers.given] += number
    given = tuple(sum(n * counts[at] for counts, n in kept.items()) for at in range(5))
    pairs, scored, waiting = statuses.total(), statuses[Status.SCORED], statuses[Status.WAITING]
    minimum = rules.minimum or -(-pairs // 2)
    fair = sum(value >= FAIR for value in group.medians)
    rng = np.random.default_rng([rules.seed, zlib.crc32(tag.encode())])
    return TagRow(
        tag=tag,
        pairs=pairs,
        judgements=total.total,
        ratings=sum(given),
        ratings_on_dropped=sum(total.given) - sum(given),
        too_abstract=total.too_abstract,
        too_poor=total.too_poor,
        scored=scored,
        dropped=statuses[Status.DROPPED],
        waiting=waiting,
        unscored_too_poor=statuses[Status.TOO_POOR],
        unscored_too_few=statuses[Status.TOO_FEW],
        mean=_mean(group, rng, rules),
        median=Measure(median(group.medians)) if scored else Measure.undefined(NO_SCORES),
        fair_answers=Share(sum(given[FAIR - 1 :]), sum(given), NO_RATINGS),
        fair_medians=Measure.of(fair / scored, wilson(fair, scored)) if scored else Measure.undefined(NO_SCORES),
        fair_medians_count=fair,
        alpha=_alpha(kept, rng, rules),
        too_abstract_rate=Share(total.too_abstract, total.total),
        answers=given,
        minimum=minimum,
        interpretable=_interpretable(scored, waiting, minimum) if tag != ALL else "",
        paper_mean=published.mean_text(tag) if tag != ALL else "{} to {}".format(*published.MEAN_RANGE),
        paper_fair=published.fair_text(tag) if tag != ALL else "at least 80% or 90%",
    )


def _sum(total: Answers, answers: Answers, number: int) -> Answers:
    given = tuple(a + number * b for a, b in zip(total.given, answers.given, strict=True))
    return Answers(
        given, total.too_abstract + number * answers.too_abstract, total.too_poor + number * answers.too_poor
    )


def _mean(group: Group, rng: np.random.Generator, rules: Rules) -> Measure:
    if not group.medians:
        return Measure.undefined(NO_SCORES)
    interval = bootstrap_mean(group.medians, group.images, rng=rng, resamples=rules.resamples)
    return Measure.of(fmean(group.medians), interval, reason=ONE_IMAGE)


def _alpha(kept: Counter[tuple[int, ...]], rng: np.random.Generator, rules: Rules) -> Measure:
    pairable = {counts: number for counts, number in kept.items() if sum(counts) >= 2}
    patterns = Patterns.grouped(sorted(pairable.items()))
    reason = patterns.undefined()
    if reason:
        return Measure.undefined(reason.replace("unit", "pair"))
    interval = patterns.interval("ordinal", rng=rng, resamples=rules.resamples)
    return Measure.of(patterns.alpha("ordinal"), interval, reason="one pair")


def _interpretable(scored: int, waiting: int, minimum: int) -> str:
    """Whether enough pairs keep a score; "open" while the waiting ones could still decide it."""
    if scored >= minimum:
        return "yes"
    return "open" if scored + waiting >= minimum else "no"
