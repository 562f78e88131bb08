"""Agreement between raters. Tables are raters x units unless a function says otherwise; NaN is a missing rating.

A coefficient that the data leave undefined (no two ratings of a unit, all answers equal) is NaN, never an invented 0
or 1; :func:`undefined` says which reason it is.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from attribution.analysis.alpha import (
    Floats,
    Integers,
    Level,
    Patterns,
    count_table,
    distinct_rows,
    masi_alpha,
    masi_distance,
    rating_table,
)
from attribution.analysis.intervals import Interval
from attribution.errors import AnalysisError

__all__ = [
    "Level",
    "Patterns",
    "alpha_interval",
    "cohen_kappa",
    "fleiss_kappa",
    "gwet_ac",
    "icc",
    "kendall_w",
    "krippendorff_alpha",
    "masi_alpha",
    "masi_distance",
    "undefined",
]

Weights = Literal["identity", "linear", "quadratic", "ordinal"]
Kind = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]


def krippendorff_alpha(ratings: npt.ArrayLike, level: Level = "ordinal") -> float:
    """Krippendorff's alpha of raters x units; ``level`` is nominal, ordinal, interval or ratio.

    Units with fewer than two ratings are left out. NaN when :func:`undefined`. Source: Krippendorff (2011).
    """
    return Patterns.from_ratings(ratings).alpha(level)


def undefined(ratings: npt.ArrayLike) -> str:
    """Why alpha of these ratings has no value: "no unit has two ratings", "all answers equal", or "" if it has."""
    return Patterns.from_ratings(ratings).undefined()


def alpha_interval(
    ratings: npt.ArrayLike,
    level: Level = "ordinal",
    *,
    rng: np.random.Generator,
    clusters: npt.ArrayLike | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval of alpha over units; NaN ends when undefined or with fewer than two to draw.

    ``clusters`` (U,) names each unit's cluster, such as its image; then whole clusters are drawn.
    """
    patterns = Patterns.from_ratings(ratings)
    content = None if clusters is None else _content(rating_table(ratings), patterns, np.asarray(clusters))
    return patterns.interval(level, rng=rng, clusters=content, resamples=resamples, confidence=confidence)


def fleiss_kappa(counts: npt.ArrayLike) -> float:
    """Fleiss' kappa of a units x categories table of counts, every unit rated equally often (at least twice).

    NaN when all answers are equal. Source: J. L. Fleiss (1971), Psychological Bulletin 76:378.
    """
    table = count_table(counts)
    raters = table.sum(axis=1)
    if not len(raters) or raters[0] < 2 or np.any(raters != raters[0]):
        raise AnalysisError(
            f"units have {sorted(set(raters.tolist()))} ratings: Fleiss' kappa needs the same number, at least 2, "
            "for each; krippendorff_alpha and gwet_ac take unequal numbers."
        )
    n = int(raters[0])
    observed = float(((table**2).sum(axis=1) - n).mean() / (n * (n - 1)))
    expected = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
    return _beyond_chance(observed, expected)


def cohen_kappa(table: npt.ArrayLike, weights: Weights | npt.ArrayLike | None = None) -> float:
    """Cohen's kappa of two raters from their square table of counts (rater 1 in rows, rater 2 in columns).

    ``weights``: None, "linear", "quadratic", "ordinal", or a square matrix of agreement weights (ones on its diagonal).
    NaN when both always gave the same one answer. Sources: J. Cohen (1960), Educational and Psychological Measurement
    20:37, and (1968), Psychological Bulletin 70:213.
    """
    counts = count_table(table)
    if counts.shape[0] != counts.shape[1] or not counts.sum():
        raise AnalysisError(f"table has shape {counts.shape} and {counts.sum()} ratings: give a square, filled table.")
    shares = counts / counts.sum()
    agreement = _weight_matrix("identity" if weights is None else weights, np.arange(len(counts), dtype=np.float64))
    observed = float((agreement * shares).sum())
    expected = float((agreement * np.outer(shares.sum(axis=1), shares.sum(axis=0))).sum())
    return _beyond_chance(observed, expected)


def gwet_ac(
    ratings: npt.ArrayLike,
    weights: Weights | npt.ArrayLike = "identity",
    *,
    categories: npt.ArrayLike | None = None,
) -> float:
    """Gwet's AC1 (identity weights) or AC2 (any other) of raters x units.

    ``weights``: "identity", "linear", "quadratic", "ordinal", or a square matrix of agreement weights.
    ``categories`` are the scale's values; without them those that occur, so name them when a value of
    the scale was never used. NaN when no unit has two ratings or there is one category only. Source: K. L. Gwet,
    "Handbook of Inter-Rater Reliability", 4th edition (2014), chapters 2 to 5.
    """
    table = rating_table(ratings)
    scale = np.unique(table[~np.isnan(table)] if categories is None else np.asarray(categories, dtype=np.float64))
    counts = np.stack([(table == value).sum(axis=0) for value in scale], axis=1) if len(scale) else np.zeros((0, 0))
    if counts.sum() != np.count_nonzero(~np.isnan(table)):
        raise AnalysisError(f"a rating is not one of the categories {scale.tolist()}: name every value of the scale.")
    given = counts.sum(axis=1)
    pairable = given >= 2
    if not pairable.any() or len(scale) < 2:
        return float("nan")
    agreement = _weight_matrix(weights, scale)
    kept, raters = counts[pairable], given[pairable]
    observed = float(((kept * (kept @ agreement - 1)).sum(axis=1) / (raters * (raters - 1))).mean())
    rated = given > 0
    prevalence = (counts[rated] / given[rated, np.newaxis]).mean(axis=0)
    chance = agreement.sum() / (len(scale) * (len(scale) - 1)) * (prevalence * (1 - prevalence)).sum()
    return _beyond_chance(observed, float(chance))


def icc(ratings: npt.ArrayLike, kind: Kind = "2,1") -> float:
    """Intraclass correlation of raters x units without missing ratings.

    ``kind``: model (1 raters differ by unit, 2 the same raters drawn at random, 3 the same raters and only these) and
    what is rated (1 a single rating, k the mean of all). NaN when all ratings are equal. Source: P. E. Shrout and
    J. L. Fleiss (1979), Psychological Bulletin 86:420.
    """
    if kind not in get_args(Kind):
        raise AnalysisError(f"kind is {kind!r}: use one of {', '.join(get_args(Kind))}.")
    table = _complete(ratings, "icc").T
    units, raters = table.shape
    between_units = raters * table.mean(axis=1).var(ddof=1)
    between_raters = units * table.mean(axis=0).var(ddof=1)
    within = table.var(axis=1, ddof=1).mean()
    error = (within * units - between_raters) / (units - 1)
    model, unit = kind.split(",")
    k = 1 if unit == "k" else raters
    noise = within if model == "1" else error
    raters_too = (between_raters - error) / units if model == "2" else 0.0
    whole = between_units + (k - 1) * noise + (raters_too * k if unit == "1" else raters_too)
    return float((between_units - noise) / whole) if whole > 0 else float("nan")


def kendall_w(ranks: npt.ArrayLike) -> float:
    """Kendall's coefficient of concordance of raters x units, corrected for ties; no missing ratings.

    Ratings may be given in place of ranks: each rater's are ranked, ties by their mean rank. NaN when every rater
    ties all units. Source: M. G. Kendall and B. Babington Smith (1939), Annals of Mathematical Statistics 10:275;
    ties as in S. Siegel, "Nonparametric Statistics" (1956), section 9.
    """
    ranked = np.stack([_mean_ranks(row) for row in _complete(ranks, "kendall_w")])
    raters, units = ranked.shape
    spread = float(((ranked.sum(axis=0) - ranked.sum() / units) ** 2).sum())
    ties = sum(float((np.unique(row, return_counts=True)[1] ** 3.0).sum() - units) for row in ranked)
    whole = raters**2 * (units**3 - units) - raters * ties
    return 12 * spread / whole if whole > 0 else float("nan")


def _content(table: Floats, patterns: Patterns, clusters: npt.NDArray[np.generic]) -> Integers:
    """How many pairable units of each cluster have each pattern, (C, P)."""
    if clusters.shape != table.shape[1:]:
        raise AnalysisError(f"clusters have shape {clusters.shape}: give one for each of the {table.shape[1]} units.")
    counts = np.stack([(table == value).sum(axis=0) for value in patterns.values], axis=1)
    pairable = counts.sum(axis=1) >= 2
    _, cluster = np.unique(clusters[pairable], return_inverse=True)
    # The patterns are the distinct rows of these counts, in the same order.
    _, pattern = distinct_rows(counts[pairable])
    width = len(patterns.units)
    return np.bincount(cluster * width + pattern, minlength=(cluster.max(initial=-1) + 1) * width).reshape(-1, width)


def _beyond_chance(observed: float, expected: float) -> float:
    return (observed - expected) / (1 - expected) if expected < 1 else float("nan")


def _weight_matrix(weights: str | npt.ArrayLike, scale: Floats) -> Floats:
    """Agreement weights (1 on the diagonal) between the values of a scale, shape (V, V)."""
    if not isinstance(weights, str):
        matrix = np.asarray(weights, dtype=np.float64)
        if matrix.shape != (len(scale), len(scale)):
            raise AnalysisError(
                f"weights have shape {matrix.shape}: {len(scale)} categories need a square of that size."
            )
        if not np.allclose(np.diagonal(matrix), 1):
            raise AnalysisError(
                f"weights have {np.diagonal(matrix).tolist()} on their diagonal: give weights of agreement, 1 there."
            )
        return matrix
    if weights not in get_args(Weights):
        raise AnalysisError(f"weights are {weights!r}: use one of {', '.join(get_args(Weights))}, or a matrix.")
    gap = np.abs(scale[:, np.newaxis] - scale)
    if weights == "identity":
        return np.eye(len(scale))
    if weights == "ordinal":
        # Pairs of categories that lie between the two, ends included.
        steps = np.abs(np.subtract.outer(np.arange(len(scale)), np.arange(len(scale))))
        gap = (steps + 1) * steps / 2
    return np.asarray(1 - (gap / gap.max(initial=1e-300)) ** (2 if weights == "quadratic" else 1))


def _complete(ratings: npt.ArrayLike, what: str) -> Floats:
    table = rating_table(ratings)
    if np.isnan(table).any():
        rater, unit = np.argwhere(np.isnan(table))[0]
        raise AnalysisError(f"rating of rater {rater}, unit {unit} is missing: {what} needs every rating.")
    if min(table.shape) < 2:
        raise AnalysisError(f"ratings have shape {table.shape}: {what} needs at least two raters and two units.")
    return table


def _mean_ranks(row: Floats) -> Floats:
    """Ranks from 1, ties sharing their mean rank."""
    _, code, count = np.unique(row, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[code], dtype=np.float64)
