"""What the headline owes to exclusions and to each rater: the same numbers, computed again without them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from annotation_site.reports.agreement import agreement
from annotation_site.reports.data import Booleans, StudyData
from annotation_site.reports.measures import Measure
from annotation_site.reports.outcomes import outcomes
from annotation_site.reports.presence import COMPARED

COUNTED, EVERYBODY, WITHOUT = "as counted", "before exclusions", "without"
# Beyond so many answers times raters, leaving each out takes longer than a page may.
MOST_WORK = 20_000_000


@dataclass(frozen=True)
class SensitivityRow:
    """The headline on other terms. ``value``: mean of medians, or non-cohyponyms minus cohyponyms in shares right,
    or the share of pairs of images whose background changed.

    ``change`` is from the headline as counted.
    """

    terms: str
    rater: str
    judgements: int
    raters: int
    scored: int
    value: Measure
    change: Measure
    alpha: Measure


def sensitivity_rows(data: StudyData) -> tuple[SensitivityRow, ...]:
    """As counted, before exclusions, and without each counted rater, largest change first."""
    which = data.counted()
    head = _row(data, which, COUNTED)
    rows = [head, _row(data, data.counted(excluded=True), EVERYBODY, base=head)]
    raters = np.unique(data.judgements.rater[which])
    if len(raters) > 1 and len(data.judgements) * len(raters) <= MOST_WORK:
        each = [
            _row(data, which & (data.judgements.rater != rater), WITHOUT, data.raters[rater].pseudonym, base=head)
            for rater in raters
        ]
        rows += sorted(each, key=lambda row: (-abs(row.change.value or 0), row.rater))
    return tuple(rows)


def _row(
    data: StudyData, which: Booleans, terms: str, rater: str = "", *, base: SensitivityRow | None = None
) -> SensitivityRow:
    value, scored, alpha = _headline(data, which)
    row = SensitivityRow(
        terms=terms,
        rater=rater,
        judgements=int(np.count_nonzero(which)),
        raters=len(np.unique(data.judgements.rater[which])),
        scored=scored,
        value=value,
        change=Measure.undefined("no number to compare"),
        alpha=alpha,
    )
    start = row.value.value if base is None else base.value.value
    if start is None or row.value.value is None:
        return row
    return replace(row, change=Measure.number(row.value.value - start, ""))


def _headline(data: StudyData, which: Booleans) -> tuple[Measure, int, Measure]:
    found = outcomes(data, which)
    scored = data.in_use & ~np.isnan(found.score)
    number, alpha = int(np.count_nonzero(scored)), agreement(data, found, which)
    if data.facts.kind == "likert":
        mean = float(found.score[scored].mean()) if number else float("nan")
        return Measure.number(mean, "no scored pair"), number, alpha
    if data.facts.kind == "change":
        share = float(found.score[scored].mean()) if number else float("nan")
        return Measure.number(share, "no scored pair"), number, alpha
    sides = [found.score[scored & data.of_group(name)] for name in COMPARED]
    gap = float(sides[0].mean() - sides[1].mean()) if all(len(side) for side in sides) else float("nan")
    return Measure.number(gap, "a condition has no scored image"), number, alpha
