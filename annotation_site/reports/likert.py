"""Per-tag rows of a study of heat maps, by the paper's rules (see ``attribution.analysis.aggregation``)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from annotation_site.reports import published
from annotation_site.reports.data import TOO_ABSTRACT, TOO_POOR, Booleans, Column, Integers, Items, StudyData
from annotation_site.reports.measures import Measure, Share
from annotation_site.reports.outcomes import RATINGS, Outcomes
from attribution.analysis.aggregation import Status
from attribution.analysis.alpha import Patterns
from attribution.analysis.crossed import crossed_mean, crossed_medians
from attribution.analysis.intervals import Interval, bootstrap_mean, wilson

ALL = "all tags"
FAIR = 3
NO_SCORES = "no scored pair"
NO_RATINGS = "no ratings"
ONE_IMAGE = "one image"


@dataclass(frozen=True)
class TagRow:
    """A tag's items and answers. ``judgements`` = ratings + later ones + those on dropped pairs + the two opt-outs.

    ``ratings`` (and ``answers``, how many gave 1 to 5) are those on pairs that are not dropped; alpha and the shares of
    answers are of these. ``pairs`` = scored + dropped + waiting + the two kinds of unscored pairs. ``mean`` is of
    medians, with an interval over images; ``mean_crossed`` the same with one over images and raters;
    ``mean_of_ratings`` of single ratings, over pairs and raters. ``later_ratings`` are those that only pairs which
    divide their raters were asked for (adaptive studies): they are in the medians, and pooled nowhere.
    """

    tag: str
    pairs: int
    judgements: int
    ratings: int
    later_ratings: int
    ratings_on_dropped: int
    too_abstract: int
    too_poor: int
    scored: int
    dropped: int
    waiting: int
    unscored_too_poor: int
    unscored_too_few: int
    mean: Measure
    mean_crossed: Measure
    mean_of_ratings: Measure
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

    minimum: int
    seed: int
    resamples: int

    def rng(self, name: str) -> np.random.Generator:
        """A generator of its own for each row, so that no row's numbers hang on which others there are."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])


@dataclass(frozen=True)
class Given:
    """Single ratings of pairs, (N,) each: the pair's place, its rater, and 1 to 5."""

    item: Column
    rater: Column
    rating: Column

    def of(self, members: Booleans) -> Given:
        """Those of the pairs in ``members`` (I,)."""
        chosen = members[self.item]
        return Given(self.item[chosen], self.rater[chosen], self.rating[chosen])

    def counts(self, items: int) -> Integers:
        """How often each of so many pairs got each rating, (I, RATINGS)."""
        cell = self.item.astype(np.int64) * RATINGS + self.rating - 1
        return np.bincount(cell, minlength=items * RATINGS).reshape(items, RATINGS)


def ratings(data: StudyData, which: Booleans) -> Given:
    """The ratings among the judgements of ``which`` (N,)."""
    chosen = which & (data.judgements.answer < RATINGS)
    of = data.judgements
    return Given(of.item[chosen], of.rater[chosen], of.answer[chosen] + 1)


def tag_rows(
    items: Items, found: Outcomes, given: Given, rules: Rules, which: Booleans, first: Given
) -> tuple[tuple[TagRow, ...], TagRow]:
    """One row a tag, in alphabetical order, and the row of all tags; ``which`` items (I,) are reported at all.

    ``first`` are the ratings that are counted one by one (see ``StudyData.first``).
    """
    rows = []
    for code, tag in enumerate(items.groups):
        members = which & (items.group == code)
        if members.any():
            rows.append(_row(tag, items, found, given, members, rules, first))
    return tuple(rows), _row(ALL, items, found, given, which, rules, first)


def _row(
    tag: str, items: Items, found: Outcomes, given: Given, members: Booleans, rules: Rules, first: Given
) -> TagRow:
    status = {state: int(np.count_nonzero(found.having(state) & members)) for state in Status}
    counts = found.counts[members]
    on_kept = members & ~found.having(Status.DROPPED)
    pooled, every = first.of(on_kept), found.given[on_kept].sum()
    kept = pooled.counts(len(items))[on_kept]
    total, answers = counts.sum(axis=0), kept.sum(axis=0)
    scored = members & found.having(Status.SCORED)
    medians, images = found.score[scored], items.image[scored]
    pairs, fair = int(members.sum()), int(np.count_nonzero(medians >= FAIR))
    minimum = rules.minimum or -(-pairs // 2)
    rng = rules.rng(tag)
    return TagRow(
        tag=tag,
        pairs=pairs,
        judgements=int(total.sum()),
        ratings=int(answers.sum()),
        later_ratings=int(every - answers.sum()),
        ratings_on_dropped=int(total[:RATINGS].sum() - every),
        too_abstract=int(total[TOO_ABSTRACT]),
        too_poor=int(total[TOO_POOR]),
        scored=status[Status.SCORED],
        dropped=status[Status.DROPPED],
        waiting=status[Status.WAITING],
        unscored_too_poor=status[Status.TOO_POOR],
        unscored_too_few=status[Status.TOO_FEW],
        mean=_mean(medians, images, rng, rules),
        mean_crossed=_crossed(given.of(scored), items.image),
        mean_of_ratings=_mean_of_ratings(pooled),
        median=Measure(float(np.median(medians))) if len(medians) else Measure.undefined(NO_SCORES),
        fair_answers=Share(int(answers[FAIR - 1 :].sum()), int(answers.sum()), NO_RATINGS),
        fair_medians=_share_fair(fair, len(medians)),
        fair_medians_count=fair,
        alpha=_alpha(kept, rng, rules),
        too_abstract_rate=Share(int(total[TOO_ABSTRACT]), int(total.sum())),
        answers=tuple(int(number) for number in answers),
        minimum=minimum,
        interpretable=_interpretable(len(medians), status[Status.WAITING], minimum) if tag != ALL else "",
        paper_mean=published.mean_text(tag) if tag != ALL else "{} to {}".format(*published.MEAN_RANGE),
        paper_fair=published.fair_text(tag) if tag != ALL else "at least 80% or 90%",
    )


def _mean(medians: Column, images: Column, rng: np.random.Generator, rules: Rules) -> Measure:
    if not len(medians):
        return Measure.undefined(NO_SCORES)
    interval = bootstrap_mean(medians, images, rng=rng, resamples=rules.resamples)
    return Measure.of(float(medians.mean()), interval, reason=ONE_IMAGE)


def _crossed(given: Given, image: Column) -> Measure:
    """The mean of medians with an interval over images and raters alike, cut where the scale ends."""
    if not len(given.rating):
        return Measure.undefined(NO_SCORES)
    found = crossed_medians(given.item, given.rater, given.rating, clusters=image[given.item])
    # With two or three raters or images Student's t reaches beyond the scale, where no mean can lie. NaN stays NaN.
    low, high = np.clip(found.interval, 1, RATINGS)
    return Measure.of_estimate(replace(found, interval=Interval(float(low), float(high))))


def _mean_of_ratings(given: Given) -> Measure:
    if not len(given.rating):
        return Measure.undefined(NO_RATINGS)
    found = crossed_mean(given.item, given.rater, given.rating).mean
    return Measure.of_estimate(replace(found, reason=found.reason.replace("item", "pair")))


def _share_fair(fair: int, scored: int) -> Measure:
    return Measure.of(fair / scored, wilson(fair, scored)) if scored else Measure.undefined(NO_SCORES)


def _alpha(kept: Integers, rng: np.random.Generator, rules: Rules) -> Measure:
    patterns = Patterns.from_counts(kept)
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
