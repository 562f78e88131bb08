"""Rows of a study of what changed between two images: how often the background changed with an adjective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation_site.reports.data import TOO_POOR, Booleans, Integers, Items
from annotation_site.reports.likert import Rules
from annotation_site.reports.measures import Measure
from annotation_site.reports.outcomes import Outcomes
from attribution.analysis.aggregation import Status
from attribution.analysis.alpha import Patterns
from attribution.analysis.intervals import wilson

ALL = "all sets"
NO_PAIRS = "no scored pair"
NO_ANSWERS = "no answers"


@dataclass(frozen=True)
class ChangeRow:
    """A swap set's pairs of images and their answers.

    ``background_changed`` is of scored pairs: more than half of a pair's raters said background or both. The shares
    ``object``, ``background``, ``both`` and ``nothing`` are of single answers; ``judgements`` = these + image too poor;
    ``pairs`` = scored + waiting + the two kinds of unscored pairs.
    """

    swap_set: str
    pairs: int
    judgements: int
    answers: tuple[int, ...]
    too_poor: int
    scored: int
    waiting: int
    unscored_too_poor: int
    unscored_too_few: int
    changed_pairs: int
    background_changed: Measure
    object: Measure
    background: Measure
    both: Measure
    nothing: Measure
    alpha: Measure

    @property
    def unscored(self) -> int:
        return self.waiting + self.unscored_too_poor + self.unscored_too_few


def change_rows(items: Items, found: Outcomes, rules: Rules, which: Booleans) -> tuple[ChangeRow, ...]:
    """One row a swap set, in alphabetical order; ``which`` items (I,) are reported at all."""
    rows = []
    for code, name in enumerate(items.groups):
        members = which & (items.group == code)
        if members.any():
            rows.append(_row(name, found, members, rules))
    return tuple(rows)


def all_sets(found: Outcomes, rules: Rules, which: Booleans) -> ChangeRow:
    """The row of all sets together."""
    return _row(ALL, found, which, rules)


def _row(name: str, found: Outcomes, members: Booleans, rules: Rules) -> ChangeRow:
    status = {state: int(np.count_nonzero(found.having(state) & members)) for state in Status}
    given = found.counts[members, :4]
    answers, too_poor = given.sum(axis=0), int(found.counts[members, TOO_POOR].sum())
    scored, changed = status[Status.SCORED], int(np.nansum(found.score[members]))
    thing, background, both, nothing = (_share(int(n), int(answers.sum()), NO_ANSWERS) for n in answers)
    return ChangeRow(
        swap_set=name,
        pairs=int(members.sum()),
        judgements=int(answers.sum()) + too_poor,
        answers=tuple(int(number) for number in answers),
        too_poor=too_poor,
        scored=scored,
        waiting=status[Status.WAITING],
        unscored_too_poor=status[Status.TOO_POOR],
        unscored_too_few=status[Status.TOO_FEW],
        changed_pairs=changed,
        background_changed=_share(changed, scored, NO_PAIRS),
        object=thing,
        background=background,
        both=both,
        nothing=nothing,
        alpha=_alpha(name, given, rules),
    )


def _share(count: int, total: int, reason: str) -> Measure:
    return Measure.of(count / total, wilson(count, total)) if total else Measure.undefined(reason)


def _alpha(name: str, given: Integers, rules: Rules) -> Measure:
    patterns = Patterns.from_counts(given)
    reason = patterns.undefined()
    if reason:
        return Measure.undefined(reason.replace("unit", "pair"))
    interval = patterns.interval("nominal", rng=rules.rng(name), resamples=rules.resamples)
    return Measure.of(patterns.alpha("nominal"), interval, reason="one pair")
