"""What became of each item: its counted answers, its status and its score, for one population of raters.

The rules are those of ``attribution.analysis.aggregation``; they are asked once for each pattern of answers, of which
few occur however many items there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from annotation_site.reports.data import TOO_ABSTRACT, TOO_POOR, Booleans, Column, Integers, StudyData
from attribution.analysis.aggregation import Status, majority_right, score_pair, status_of

STATUSES = tuple(Status)
RATINGS, SETS = 5, 4


@dataclass(frozen=True)
class Outcomes:
    """Items' answers and scores; every column has shape (I,) but ``counts`` (I, CODES).

    ``status`` holds codes into STATUSES. ``score`` is NaN where an item is not scored, else the median rating, or 1
    for an image that is right and 0 for one that is not, or for two images whose background changed or did not.
    """

    counts: Integers
    status: Column
    score: Column

    def having(self, *statuses: Status) -> Booleans:
        return np.isin(self.status, [STATUSES.index(status) for status in statuses])

    def status_of(self, item: int) -> Status:
        return STATUSES[int(self.status[item])]

    @property
    def given(self) -> Integers:
        """Answers that are no opt-outs: ratings 1 to 5, or the four sets of nouns."""
        return self.counts[:, :RATINGS]


def outcomes(data: StudyData, which: Booleans) -> Outcomes:
    """Outcomes of all items when the judgements of ``which`` (N,) are counted."""
    counts = data.counts(which)
    table = np.column_stack([data.answered, data.items.places, counts])
    patterns, kind = _patterns(table)
    scored = [scored_as(data.facts.kind, *(int(number) for number in pattern)) for pattern in patterns]
    status = np.array([STATUSES.index(state) for state, _ in scored], dtype=np.int8)
    score = np.array([value for _, value in scored], dtype=np.float64)
    return Outcomes(counts, status[kind], score[kind])


def _patterns(table: Integers) -> tuple[Integers, Integers]:
    """The distinct rows of a table of small counts, and which of them each row is."""
    base = int(table.max(initial=0)) + 1
    if table.shape[1] * np.log2(base + 1) < 62:
        # One integer a row sorts far faster than rows of integers do.
        keys = table @ (base ** np.arange(table.shape[1], dtype=np.int64))
        _, first, kind = np.unique(keys, return_index=True, return_inverse=True)
        return table[first], kind
    patterns, kind = np.unique(table, axis=0, return_inverse=True)
    return patterns, kind.reshape(-1)


@lru_cache(maxsize=4096)
def scored_as(study_kind: str, answered: int, places: int, *counts: int) -> tuple[Status, float]:
    """Status and score of an item with so many counted answers of each code; NaN where it is not scored."""
    given, too_poor = counts[:RATINGS], counts[TOO_POOR]
    if study_kind == "likert":
        score = score_pair(
            given, too_abstract=counts[TOO_ABSTRACT], too_poor=too_poor, answered=answered, places=places
        )
        return score.status, float("nan") if score.median is None else score.median
    state = status_of(rated=sum(given), too_poor=too_poor, answered=answered, places=places)
    wanted = given[1] + given[2] if study_kind == "change" else given[0]
    right = float(majority_right(wanted, sum(given) - wanted))
    return state, right if state is Status.SCORED else float("nan")
