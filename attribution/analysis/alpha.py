"""Krippendorff's alpha for any level of measurement or distance, and its bootstrap.

Units are grouped by their *count pattern*: how many raters gave each value. Alpha depends on nothing else, and with
three answers on five categories there are only 50 patterns that hold a pair, so a resample of any number of units
is one multinomial draw over the patterns.

Source: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), sections C and D; the bootstrap resamples
units with replacement (B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from attribution.analysis.intervals import NOWHERE, Interval, percentile_interval
from attribution.errors import AnalysisError

Level = Literal["nominal", "ordinal", "interval", "ratio"]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Floats that one block of resamples may hold at a time (32 MB).
_BLOCK = 4_000_000


@dataclass(frozen=True)
class Patterns:
    """Ratings of many units, grouped: ``units[p]`` units received value ``values[v]`` ``counts[p, v]`` times.

    ``values`` is ascending, shape (V,); ``counts`` has shape (P, V) and ``units`` (P,). Only units with at least two
    ratings are in it: a single rating forms no pair and says nothing about agreement.
    """

    values: Floats
    counts: Integers
    units: Integers

    @classmethod
    def from_ratings(cls, ratings: npt.ArrayLike) -> Patterns:
        """From a raters x units table; NaN (or None) is a missing rating."""
        table = rating_table(ratings)
        _, unit = np.nonzero(~np.isnan(table))
        values, codes = np.unique(table[~np.isnan(table)], return_inverse=True)
        counts = np.zeros((table.shape[1], max(1, len(values))), dtype=np.int64)
        np.add.at(counts, (unit, codes), 1)
        return cls.from_counts(counts, values if len(values) else np.zeros(1))

    @classmethod
    def from_counts(cls, counts: npt.ArrayLike, values: npt.ArrayLike | None = None) -> Patterns:
        """From a units x values table of counts; ``values`` (ascending) default to 1, 2, 3, ..."""
        table = count_table(counts)
        scale = np.arange(1, table.shape[1] + 1) if values is None else values
        pairable = table[table.sum(axis=1) >= 2]
        patterns, units = group_rows(pairable)
        return cls(np.asarray(scale, dtype=np.float64), patterns, units)

    @classmethod
    def grouped(cls, patterns: Iterable[tuple[Sequence[int], int]], values: npt.ArrayLike | None = None) -> Patterns:
        """From pairs of a count pattern and its number of units; each pattern holds at least two ratings."""
        listed = list(patterns)
        counts = np.array([pattern for pattern, _ in listed], dtype=np.int64)
        counts = counts if listed else np.zeros((0, 1), dtype=np.int64)
        if np.any(counts.sum(axis=1) < 2):
            raise AnalysisError("a count pattern holds fewer than two ratings: leave such units out.")
        scale = np.arange(1, counts.shape[1] + 1) if values is None else values
        return cls(np.asarray(scale, dtype=np.float64), counts, np.array([n for _, n in listed], dtype=np.int64))

    def undefined(self) -> str:
        """Why alpha has no value, in words; empty when it has one."""
        if not len(self.units):
            return "no unit has two ratings"
        if np.count_nonzero(self.counts.sum(axis=0)) < 2:
            return "all answers equal"
        return ""

    def alpha(self, metric: Level | Floats = "ordinal") -> float:
        """Alpha under a level of measurement or a (V, V) matrix of distances; NaN when :meth:`undefined`."""
        if self.undefined():
            return float("nan")
        return float(self._alphas(self.units[np.newaxis].astype(np.float64), metric)[0])

    def interval(
        self,
        metric: Level | Floats = "ordinal",
        *,
        rng: np.random.Generator,
        clusters: Integers | None = None,
        resamples: int = 1000,
        confidence: float = 0.95,
    ) -> Interval:
        """Percentile bootstrap interval of alpha over units; NaN ends when undefined or with fewer than two to draw.

        ``clusters`` (C, P) resamples whole clusters of units instead: how many of each one's units have each pattern.
        Resamples in which all answers happen to be equal have no alpha and are left out.
        """
        kinds, number = (None, self.units) if clusters is None else group_rows(clusters)
        total = int(number.sum())
        if self.undefined() or total < 2:
            return NOWHERE
        if resamples < 1:
            raise AnalysisError(f"{resamples} resamples: draw at least one.")
        step = max(1, _BLOCK // (self.counts.size + self.counts.shape[1] ** 2 + len(number)))
        blocks = []
        for at in range(0, resamples, step):
            draws = rng.multinomial(total, number / total, size=min(step, resamples - at)).astype(np.float64)
            blocks.append(self._alphas(draws if kinds is None else draws @ kinds, metric))
        return percentile_interval(np.concatenate(blocks), confidence)

    def _alphas(self, weights: Floats, metric: Level | Floats) -> Floats:
        """Alpha of each row of pattern weights (B, P); NaN where the expected disagreement is zero."""
        counts = self.counts.astype(np.float64)
        scaled = weights / (counts.sum(axis=1) - 1)
        coincidences = np.matmul(counts.T, scaled[:, :, np.newaxis] * counts)  # (B, V, V)
        totals = weights @ counts  # (B, V)
        n = totals.sum(axis=1)
        distances = squared_distances(self.values, totals, metric)
        observed = (coincidences * distances).sum(axis=(1, 2))
        expected = (totals[:, :, np.newaxis] * totals[:, np.newaxis, :] * distances).sum(axis=(1, 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(expected > 0, 1 - (n - 1) * observed / expected, np.nan)


def squared_distances(values: Floats, totals: Floats, metric: Level | Floats) -> Floats:
    """Squared distances between values, shape (1, V, V), or (B, V, V) where they depend on the totals (B, V).

    Ordinal distance counts the ratings that lie between two values, each end by half: the difference of the values'
    mid-ranks.
    """
    if not isinstance(metric, str):
        return np.asarray(metric, dtype=np.float64)[np.newaxis]
    if metric not in get_args(Level):
        raise AnalysisError(f"level is {metric!r}: use one of {', '.join(get_args(Level))}, or a matrix of distances.")
    if metric == "nominal":
        return 1.0 - np.eye(len(values))[np.newaxis]
    if metric == "ratio":
        return _ratio_distances(values)[np.newaxis]
    scale = np.cumsum(totals, axis=1) - totals / 2 if metric == "ordinal" else values[np.newaxis]
    return np.asarray((scale[:, :, np.newaxis] - scale[:, np.newaxis, :]) ** 2)


def _ratio_distances(values: Floats) -> Floats:
    if np.any(values < 0):
        raise AnalysisError(f"ratio level with the value {values.min():g}: a ratio scale has no negative values.")
    difference, total = values[:, None] - values, values[:, None] + values
    return np.asarray(np.divide(difference, total, out=np.zeros_like(total), where=total > 0) ** 2)


def rating_table(ratings: npt.ArrayLike) -> Floats:
    """A raters x units table as floats, NaN for missing; raises AnalysisError when it is not a table of numbers."""
    try:
        given = ratings.filled(np.nan) if isinstance(ratings, np.ma.MaskedArray) else ratings
        table = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise AnalysisError(f"ratings are not a raters x units table of numbers: {error}.") from error
    if table.ndim != 2:
        raise AnalysisError(f"ratings have {table.ndim} dimensions: give a table of raters x units.")
    if np.isinf(table).any():
        raise AnalysisError("ratings hold an infinite value: use finite numbers, and NaN for a missing rating.")
    return table


def count_table(counts: npt.ArrayLike) -> Integers:
    """A units x values table of whole, non-negative counts; raises AnalysisError when it is not one."""
    try:
        table = np.asarray(counts, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise AnalysisError(f"counts are not a table of numbers: {error}.") from error
    if table.ndim != 2 or not table.shape[1]:
        raise AnalysisError(f"counts have shape {table.shape}: give a table of units x values.")
    # NaN fails the first comparison, and what an integer cannot hold the second.
    if not np.all(table >= 0) or np.any(table >= 2**53) or np.any(table != np.rint(table)):
        raise AnalysisError("counts hold a value that is not a whole number of at least 0.")
    return table.astype(np.int64)


def group_rows(table: Integers) -> tuple[Integers, Integers]:
    """The distinct rows of a table of counts (N, V), shape (P, V), and how often each occurs, (P,)."""
    rows, codes = distinct_rows(table)
    return rows, np.bincount(codes, minlength=len(rows))


def distinct_rows(table: Integers) -> tuple[Integers, Integers]:
    """The distinct rows of a table of counts (N, V), shape (P, V), and which of them each row is, (N,)."""
    base = int(table.max(initial=0)) + 1
    if table.shape[1] * np.log2(base) >= 62:
        rows, codes = np.unique(table, axis=0, return_inverse=True)
        return rows, codes.reshape(-1)
    # One integer a row sorts far faster than rows of integers do.
    keys = table @ (base ** np.arange(table.shape[1], dtype=np.int64))
    _, first, codes = np.unique(keys, return_index=True, return_inverse=True)
    return table[first], codes


def masi_distance(first: AbstractSet[Any], second: AbstractSet[Any]) -> float:
    """MASI distance of two sets in [0, 1]: 1 - Jaccard x monotonicity.

    Monotonicity is 1 for equal sets, 2/3 when one holds the other, 1/3 when they overlap otherwise, 0 when they are
    disjoint; two empty sets are equal. Source: R. Passonneau, "Measuring agreement on set-valued items (MASI) for
    semantic and pragmatic annotation", LREC 2006.
    """
    if first == second:
        return 0.0
    shared = len(first & second)
    if not shared:
        return 1.0
    monotonicity = 2 / 3 if first <= second or second <= first else 1 / 3
    return 1.0 - shared / len(first | second) * monotonicity


def masi_distances(sets: Sequence[AbstractSet[Any]]) -> Floats:
    """The (S, S) matrix of MASI distances between sets."""
    return np.array([[masi_distance(a, b) for b in sets] for a in sets], dtype=np.float64)


def masi_alpha(ratings: Sequence[Sequence[Iterable[Any] | None]]) -> float:
    """Alpha for set-valued answers, raters x units of sets (None = missing), with MASI as the distance.

    MASI enters as it is, unsquared, as in Passonneau (2006). NaN when no unit has two answers or all are equal.
    """
    table = [[None if cell is None else frozenset(cell) for cell in row] for row in ratings]
    distinct = sorted({cell for row in table for cell in row if cell is not None}, key=lambda s: sorted(map(repr, s)))
    code = {cell: float(number) for number, cell in enumerate(distinct)}
    codes = [[np.nan if cell is None else code[cell] for cell in row] for row in table]
    return Patterns.from_ratings(codes).alpha(masi_distances(distinct)) if distinct else float("nan")
