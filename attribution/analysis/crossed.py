"""Intervals that speak of other raters too: items and raters are both drawn at random, and cross.

:func:`crossed_mean` is algebra on the mean of all ratings and :func:`crossed_medians` on the mean of medians, both a
pass over the ratings; :func:`pigeonhole_interval` resamples items and raters for either. All are wider than a bootstrap
over items alone, and more so the fewer raters there are and the more they differ in severity.

Sources: A. B. Owen, "The Pigeonhole Bootstrap" (2007), Annals of Applied Statistics 1:386; K. Gao and A. B. Owen,
"Efficient Moment Calculations for Variance Components in Large Unbalanced Crossed Random Effects Models" (2017),
Electronic Journal of Statistics 11:1235; F. E. Satterthwaite (1946), Biometrics Bulletin 2:110 (degrees of freedom);
A. C. Cameron, J. B. Gelbach and D. L. Miller, "Robust Inference With Multiway Clustering" (2011), Journal of Business
and Economic Statistics 29:238; B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 11.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from attribution.analysis.alpha import Floats, Integers
from attribution.analysis.intervals import NOWHERE, Estimate, Interval, check_confidence, percentile_interval
from attribution.analysis.kinds import numbered
from attribution.analysis.ratings import Ratings
from attribution.analysis.special import satterthwaite, t_quantile
from attribution.errors import AnalysisError

Statistic = Literal["mean", "median"]

NO_RATINGS = "no ratings"
ONE_ITEM = "one item"
ONE_CLUSTER = "one cluster"
ONE_RATER = "one rater"
NO_OVERLAP = "no item has two raters"
NO_REPEAT = "no rater has two items"


@dataclass(frozen=True)
class CrossedMean:
    """The mean of all ratings with a crossed interval, and where its uncertainty comes from.

    Variances of single ratings: between items, between raters (their severity) and what is left; each NaN where
    ``mean.reason`` says why, and 0 where its moment estimate is negative. ``standard_error`` is of the mean, ``df``
    the degrees of freedom (Satterthwaite) of its interval.
    """

    mean: Estimate
    item_variance: float
    rater_variance: float
    residual_variance: float
    standard_error: float
    df: float
    items: int
    raters: int


def crossed_mean(
    items: npt.ArrayLike, raters: npt.ArrayLike, ratings: npt.ArrayLike, *, confidence: float = 0.95
) -> CrossedMean:
    """The mean of ``ratings[n]`` by ``raters[n]`` of ``items[n]``, (N,) each, for items and raters drawn at random.

    The variances of items, raters and residual solve three moment equations, whatever was rated by whom. The interval
    is Student's t. It has none with one item or one rater, or where no item has two raters.
    """
    check_confidence(confidence)
    table = Ratings.of(items, raters, ratings)
    n, reason = len(table.values), _undefined(table)
    mean = float(table.values.mean()) if n else math.nan
    if reason:
        nan = math.nan
        return CrossedMean(Estimate(mean, NOWHERE, reason), nan, nan, nan, nan, nan, table.items, table.raters)
    variances = _components(table)
    sizes = [int((table.per_item**2).sum()), int((table.per_rater**2).sum()), n]
    parts = [variance * size / n**2 for variance, size in zip(variances, sizes, strict=True)]
    df = satterthwaite(parts, [table.items - 1, table.raters - 1, max(1, n - table.items - table.raters + 1)])
    error = math.sqrt(sum(parts))
    half = error * t_quantile((1 + confidence) / 2, df)
    estimate = Estimate(mean, Interval(mean - half, mean + half))
    return CrossedMean(estimate, *variances, error, df, table.items, table.raters)


def crossed_medians(
    items: npt.ArrayLike,
    raters: npt.ArrayLike,
    ratings: npt.ArrayLike,
    *,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """The mean over items of their median rating, with an interval for items and raters drawn at random.

    Columns as for :func:`pigeonhole_interval`, whose counterpart without resampling this is. The variance is that
    between clusters of items, plus the jackknife's of leaving out raters, less the jackknife's of leaving out a rater's
    ratings in one cluster, which both count (Cameron, Gelbach and Miller 2011); but no less than either of the first
    two. The interval is Student's t, its degrees of freedom one less than the fewer of clusters and raters.
    """
    check_confidence(confidence)
    given = Ratings.of(items, raters, ratings)
    if not len(given.values):
        return Estimate.undefined(NO_RATINGS)
    table = _Sorted.of(given, clusters)
    medians, changes = table.medians_and_changes()
    value = float(medians.mean())
    cluster = table.cluster[np.cumsum(given.per_item) - 1]
    number = int(cluster.max()) + 1, given.raters
    if min(number) < 2:
        return Estimate(value, NOWHERE, ONE_CLUSTER if number[0] < 2 else ONE_RATER)
    _, cell = np.unique(table.rater * number[0] + table.cluster, return_inverse=True)
    of_clusters = _spread(np.bincount(cluster, weights=medians - value)) * (number[0] / (number[0] - 1)) ** 2
    of_raters, of_both = (_spread(np.bincount(which, weights=changes)) for which in (table.rater, cell))
    error = math.sqrt(max(of_clusters + of_raters - of_both, of_clusters, of_raters)) / len(medians)
    half = error * t_quantile((1 + confidence) / 2, min(number) - 1)
    return Estimate(value, Interval(value - half, value + half))


def pigeonhole_interval(
    items: npt.ArrayLike,
    raters: npt.ArrayLike,
    ratings: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    clusters: npt.ArrayLike | None = None,
    statistic: Statistic = "median",
    resamples: int = 1000,
    confidence: float = 0.95,
) -> Estimate:
    """Bootstrap interval by resampling clusters of items, and raters, independently and both with replacement.

    ``ratings[n]`` is by ``raters[n]`` of ``items[n]``, (N,) each; ``clusters[n]`` is that item's cluster, such as its
    image, and without them every item is its own. ``statistic``: the "mean" of the ratings, or the mean over items of
    their "median" rating (an even number takes the mean of the middle two). A rating counts as often as its rater was
    drawn, an item as often as its cluster; an item none of whose raters was drawn is left out of that resample. The
    ends are the resamples' percentiles, moved so that the resamples' mean is the estimate: with fewer raters an item,
    medians shift a little. The interval is rather too wide than too narrow (Owen 2007). It costs ``resamples`` passes
    over the ratings, and has no ends with one cluster or one rater.
    """
    if statistic not in get_args(Statistic):
        raise AnalysisError(f"statistic is {statistic!r}: use one of {', '.join(get_args(Statistic))}.")
    ratings_given = Ratings.of(items, raters, ratings)
    if not len(ratings_given.values):
        return Estimate.undefined(NO_RATINGS)
    table = _Sorted.of(ratings_given, clusters)
    number = int(table.cluster.max()) + 1, ratings_given.raters
    compute = table.mean if statistic == "mean" else table.mean_of_medians
    value = compute(np.ones(number[0], dtype=np.int64), np.ones(number[1], dtype=np.int64))
    if min(number) < 2:
        return Estimate(value, NOWHERE, ONE_CLUSTER if number[0] < 2 else ONE_RATER)
    drawn = np.array([compute(_drawn(rng, number[0]), _drawn(rng, number[1])) for _ in range(resamples)])
    ends = percentile_interval(drawn, confidence)
    shift = value - float(np.nanmean(drawn))
    return Estimate(value, Interval(ends.low + shift, ends.high + shift))


@dataclass(frozen=True)
class _Sorted:
    """Ratings by item, and within an item by value; with the numbers of item, rater and cluster, (N,) each."""

    values: Floats
    item: Integers
    rater: Integers
    cluster: Integers

    @classmethod
    def of(cls, table: Ratings, clusters: npt.ArrayLike | None) -> _Sorted:
        order = np.lexsort((table.values, table.item))
        cluster = table.item if clusters is None else numbered(clusters, len(order), "clusters")[1]
        made = cls(table.values[order], table.item[order], table.rater[order], cluster[order])
        torn = np.flatnonzero((np.diff(made.item) == 0) & (np.diff(made.cluster) != 0))
        if len(torn):
            name = table.item_names[made.item[torn[0]]]
            raise AnalysisError(f"item {name} is in two clusters: give each item one.")
        return made

    def medians_and_changes(self) -> tuple[Floats, Floats]:
        """Each item's median, (I,), and by how much it changes without each rating, (N,); 0 without an only rating."""
        sizes = np.bincount(self.item)
        starts = np.cumsum(sizes) - sizes
        medians = (self.values[starts + (sizes - 1) // 2] + self.values[starts + sizes // 2]) / 2
        size, start = sizes[self.item], starts[self.item]
        place = np.arange(len(size)) - start
        # The middle places among the other ratings; those at or past the one left out stand one further on.
        low, high = np.maximum(size - 2, 0) // 2, np.maximum(size - 1, 0) // 2
        low, high = (start + np.minimum(at + (at >= place), size - 1) for at in (low, high))
        changes = (self.values[low] + self.values[high]) / 2 - medians[self.item]
        return medians, np.where(size > 1, changes, 0.0)

    def mean(self, of_clusters: Integers, of_raters: Integers) -> float:
        """The mean rating under weights of clusters and raters; NaN where none of the ratings was drawn."""
        weights = of_clusters[self.cluster] * of_raters[self.rater]
        total = int(weights.sum())
        return float(weights @ self.values) / total if total else math.nan

    def mean_of_medians(self, of_clusters: Integers, of_raters: Integers) -> float:
        """The mean over items of their median rating under the weights; NaN where no item was drawn."""
        weights = of_raters[self.rater]
        per_item = np.bincount(self.item, weights=weights).astype(np.int64)
        twice = 2 * (np.cumsum(weights) - (np.cumsum(per_item) - per_item)[self.item])
        before, total = twice - 2 * weights, per_item[self.item]
        # One rating of an item holds its lower middle place, and one, often the same, its upper.
        halves = ((before < total) & (twice >= total)).astype(np.int64) + ((before <= total) & (twice > total))
        counted = of_clusters[self.cluster] * halves * (total > 0)
        number = int(counted.sum())
        return float(counted @ self.values) / number if number else math.nan


def _undefined(table: Ratings) -> str:
    """Why the variances of items and raters cannot be told apart, or ""."""
    if not len(table.values):
        return NO_RATINGS
    if min(table.items, table.raters) < 2:
        return ONE_ITEM if table.items < 2 else ONE_RATER
    if len(table.values) == table.items:
        return NO_OVERLAP
    return "" if len(table.values) > table.raters else NO_REPEAT


def _components(table: Ratings) -> tuple[float, float, float]:
    """Variances between items, between raters and of the rest, from Gao and Owen's three sums of squares."""
    n, values = len(table.values), table.values - table.values.mean()
    found = [_squares_within(values, table.item), _squares_within(values, table.rater), n * float(values @ values)]
    # Within an item raters and the rest vary, within a rater items and the rest, over all pairs of ratings everything.
    expected = [
        [0, n - table.items, n - table.items],
        [n - table.raters, 0, n - table.raters],
        [n**2 - int((table.per_item**2).sum()), n**2 - int((table.per_rater**2).sum()), n**2 - n],
    ]
    of_items, of_raters, rest = np.linalg.solve(np.array(expected, dtype=np.float64), np.array(found))
    return max(0.0, float(of_items)), max(0.0, float(of_raters)), max(0.0, float(rest))


def _squares_within(values: Floats, group: Integers) -> float:
    """Sum of squares around the means of the groups."""
    sums = np.bincount(group, weights=values)
    return float(values @ values - (sums**2 / np.bincount(group)).sum())


def _spread(sums: npt.NDArray[np.number]) -> float:
    """The jackknife's variance of a total that changes by each of ``sums`` when that group is left out."""
    return float(((sums - sums.mean()) ** 2).sum()) * (len(sums) - 1) / len(sums)


def _drawn(rng: np.random.Generator, number: int) -> Integers:
    """How often each of ``number`` things is drawn in as many draws with replacement."""
    return np.bincount(rng.integers(0, number, number), minlength=number)
