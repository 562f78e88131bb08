"""Rows of a study of two nouns: which share of images shows both, for cohyponyms and for other pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation_site.reports import published
from annotation_site.reports.data import TOO_POOR, Booleans, Integers, Items
from annotation_site.reports.likert import Rules
from annotation_site.reports.measures import DIGITS, Measure, Share
from annotation_site.reports.outcomes import Outcomes
from attribution.analysis.aggregation import Status
from attribution.analysis.alpha import Patterns, masi_distances
from attribution.analysis.intervals import newcombe, wilson

NO_IMAGES = "no scored image"
NO_ANSWERS = "no answers"
# The sets of present nouns in the order of the answers' codes: both, first only, second only, neither.
SETS = masi_distances([{1, 2}, {1}, {2}, set()])
COMPARED = ("non-cohyponyms", "cohyponyms")


@dataclass(frozen=True)
class ConditionRow:
    """A condition's images and answers. An image is right when more than half of its raters saw both nouns.

    ``right`` is of scored images by that majority, ``right_answers`` of single answers; ``judgements`` = the four
    answers + image too poor; ``images`` = scored + waiting + the two kinds of unscored images.
    """

    condition: str
    images: int
    judgements: int
    answers: tuple[int, ...]
    too_poor: int
    scored: int
    waiting: int
    unscored_too_poor: int
    unscored_too_few: int
    right_images: int
    right: Measure
    right_answers: Share
    alpha: Measure
    paper: str

    @property
    def unscored(self) -> int:
        return self.waiting + self.unscored_too_poor + self.unscored_too_few


@dataclass(frozen=True)
class Difference:
    """Share right of non-cohyponyms minus that of cohyponyms, by images and by single answers."""

    images: Measure
    answers: Measure
    paper: float

    @property
    def paper_points(self) -> str:
        return f"{100 * self.paper:+.0f}"


def condition_rows(items: Items, found: Outcomes, rules: Rules, which: Booleans) -> tuple[ConditionRow, ...]:
    """One row a condition, in alphabetical order; ``which`` items (I,) are reported at all."""
    rows = []
    for code, condition in enumerate(items.groups):
        members = which & (items.group == code)
        if members.any():
            rows.append(_row(condition, found, members, rules))
    return tuple(rows)


def _row(condition: str, found: Outcomes, members: Booleans, rules: Rules) -> ConditionRow:
    status = {state: int(np.count_nonzero(found.having(state) & members)) for state in Status}
    total, sets = found.counts[members].sum(axis=0), found.counts[members, :4]
    scored = status[Status.SCORED]
    right = int(np.nansum(found.score[members]))
    return ConditionRow(
        condition=condition,
        images=int(members.sum()),
        judgements=int(total.sum()),
        answers=tuple(int(number) for number in total[:4]),
        too_poor=int(total[TOO_POOR]),
        scored=scored,
        waiting=status[Status.WAITING],
        unscored_too_poor=status[Status.TOO_POOR],
        unscored_too_few=status[Status.TOO_FEW],
        right_images=right,
        right=Measure.of(right / scored, wilson(right, scored)) if scored else Measure.undefined(NO_IMAGES),
        right_answers=Share(int(total[0]), int(total[:4].sum()), NO_ANSWERS),
        alpha=_alpha(condition, sets, rules),
        paper=published.right_text(condition),
    )


def _alpha(condition: str, sets: Integers, rules: Rules) -> Measure:
    patterns = Patterns.from_counts(sets)
    reason = patterns.undefined()
    if reason:
        return Measure.undefined(reason.replace("unit", "image"))
    interval = patterns.interval(SETS, rng=rules.rng(condition), resamples=rules.resamples)
    return Measure.of(patterns.alpha(SETS), interval, reason="one image")


def difference(rows: tuple[ConditionRow, ...]) -> Difference:
    """The paper's contrast, with Newcombe's interval for images; undefined until both conditions have one."""
    by_name = {row.condition: row for row in rows}
    pair = [by_name.get(name) for name in COMPARED]
    paper = round(published.SHARE_RIGHT[COMPARED[0]] - published.SHARE_RIGHT[COMPARED[1]], DIGITS)
    one, two = pair
    if one is None or two is None:
        missing = " and ".join(name for name, row in zip(COMPARED, pair, strict=True) if row is None)
        nothing = Measure.undefined(f"no {missing} in this study")
        return Difference(nothing, nothing, paper)
    return Difference(_of_images(one, two), _of_answers(one, two), paper)


def _of_images(one: ConditionRow, two: ConditionRow) -> Measure:
    if one.right.value is None or two.right.value is None:
        return Measure.undefined(f"{NO_IMAGES} of {(one if one.right.value is None else two).condition}")
    counts = (one.right_images, two.right_images)
    totals = (one.scored, two.scored)
    return Measure.of(counts[0] / totals[0] - counts[1] / totals[1], newcombe(counts, totals))


def _of_answers(one: ConditionRow, two: ConditionRow) -> Measure:
    first, second = one.right_answers, two.right_answers
    if not first.total or not second.total:
        return Measure.undefined(f"{NO_ANSWERS} on {(one if not first.total else two).condition}")
    gap = first.count / first.total - second.count / second.total
    return Measure(round(gap, DIGITS), reason="answers to one image are not independent")
