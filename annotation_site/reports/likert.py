"""Per-tag rows of a study of heat maps, by the paper's rules (see ``attribution.analysis.aggregation``)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from annotation_site.reports import published
from annotation_site.reports.data import TOO_ABSTRACT, TOO_POOR, Booleans, Column, Integers, Items
from annotation_site.reports.measures import Measure, Share
from annotation_site.reports.outcomes import RATINGS, Outcomes
from attribution.analysis.aggregation import Status
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

    minimum: int
    seed: int
    resamples: int

    def rng(self, name: str) -> np.random.Generator:
        """A generator of its own for each row, so that no row's numbers hang on which others there are."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])


def tag_rows(items: Items, found: Outcomes, rules: Rules, which: Booleans) -> tuple[tuple[TagRow, ...], TagRow]:
    """One row a tag, in alphabetical order, and the row of all tags; ``which`` items (I,) are reported at all."""
    rows = []
    for code, tag in enumerate(items.groups):
        members = which & (items.group == code)
        if members.any():
            rows.append(_row(tag, items, found, members, rules))
    return tuple(rows), _row(ALL, items, found, which, rules)


def _row(tag: str, items: Items, found: Outcomes, members: Booleans, rules: Rules) -> TagRow:
    status = {state: int(np.count_nonzero(found.having(state) & members)) for state in Status}
    counts = found.counts[members]
    kept = found.given[members & ~found.having(Status.DROPPED)]
    total, given = counts.sum(axis=0), kept.sum(axis=0)
    scored = members & found.having(Status.SCORED)
    medians, images = found.score[scored], items.image[scored]
    pairs, fair = int(members.sum()), int(np.count_nonzero(medians >= FAIR))
    minimum = rules.minimum or -(-pairs // 2)
    rng = rules.rng(tag)
    return TagRow(
        tag=tag,
        pairs=pairs,
        judgements=int(total.sum()),
        ratings=int(given.sum()),
        ratings_on_dropped=int(total[:RATINGS].sum() - given.sum()),
        too_abstract=int(total[TOO_ABSTRACT]),
        too_poor=int(total[TOO_POOR]),
        scored=status[Status.SCORED],
        dropped=status[Status.DROPPED],
        waiting=status[Status.WAITING],
        unscored_too_poor=status[Status.TOO_POOR],
        unscored_too_few=status[Status.TOO_FEW],
        mean=_mean(medians, images, rng, rules),
        median=Measure(float(np.median(medians))) if len(medians) else Measure.undefined(NO_SCORES),
        fair_answers=Share(int(given[FAIR - 1 :].sum()), int(given.sum()), NO_RATINGS),
        fair_medians=_share_fair(fair, len(medians)),
        fair_medians_count=fair,
        alpha=_alpha(kept, rng, rules),
        too_abstract_rate=Share(int(total[TOO_ABSTRACT]), int(total.sum())),
        answers=tuple(int(number) for number in given),
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
