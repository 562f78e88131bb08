"""Differences between two groups, or two methods, when the values come in clusters (the scores of one image).

Clusters are what was drawn at random, so they are what is resampled and permuted, whole (see ``kinds``).

Sources: N. Cliff (1993), Psychological Bulletin 114:494 (delta); L. V. Hedges (1981), Journal of Educational Statistics
6:107 (g); J. N. K. Rao and A. J. Scott (1992), Biometrics 48:577, equation 6 (chi-squared of clustered counts);
E. Chung and J. P. Romano (2013), Annals of Statistics 41:484 (permuting a studentised difference); B. Phipson and
G. K. Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9:39 (p values by permutation).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.analysis.alpha import Floats, Integers
from attribution.analysis.intervals import (
    NOWHERE,
    Estimate,
    Interval,
    bootstrap_mean,
    check_confidence,
    percentile_interval,
)
from attribution.analysis.kinds import Kinds, blocks_of, column, numbered
from attribution.analysis.special import satterthwaite, t_quantile, two_sided
from attribution.errors import AnalysisError

NO_VALUES = "no values in a group"
NO_PAIRS = "no pairs"
ONE_CLUSTER = "one cluster in a group"
NO_SPREAD = "all values equal"


@dataclass(frozen=True)
class Comparison:
    """The first group against the second; differences are first minus second.

    ``difference`` of means. ``cliffs_delta``: how much likelier a value of the first group is the larger than the
    smaller one, -1 to 1. ``hedges_g``: the difference in pooled standard deviations, corrected for small samples.
    ``p_value``: two-sided, of equal means; NaN where ``difference.reason`` says why. ``clusters``: of each group.
    """

    difference: Estimate
    cliffs_delta: Estimate
    hedges_g: Estimate
    p_value: float
    clusters: tuple[int, int]


@dataclass(frozen=True)
class PairedComparison:
    """The same items under two methods; ``difference`` is the mean of first minus second.

    ``better``, ``equal``, ``worse``: items whose first value is larger, as large, smaller. ``p_value``: two-sided, by
    sign flips of whole clusters; NaN where ``difference.reason`` says why.
    """

    difference: Estimate
    p_value: float
    pairs: int
    clusters: int
    better: int
    equal: int
    worse: int


@dataclass(frozen=True)
class ProportionComparison:
    """Two shares of clustered yes-or-no values; ``difference`` is first minus second, with a cluster-robust interval.

    ``p_value`` permutes whole clusters: prefer it with few of them. ``p_rao_scott`` is of ``chi_squared``, one degree
    of freedom: Pearson's statistic over the pooled design effect, which for two groups is the squared difference over
    its cluster-robust variance. ``design_effects``: by how much clusters multiply each group's binomial variance. NaN
    where ``difference.reason`` says why.
    """

    shares: tuple[float, float]
    difference: Estimate
    p_value: float
    chi_squared: float
    p_rao_scott: float
    design_effects: tuple[float, float]
    clusters: tuple[int, int]


def compare_groups(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    first_clusters: npt.ArrayLike | None = None,
    second_clusters: npt.ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    permutations: int = 10_000,
    confidence: float = 0.95,
) -> Comparison:
    """Compare the values of two groups, (N1,) and (N2,), each with one cluster label a value.

    Without clusters every value is its own. A label that occurs in both groups is one cluster (an image with words of
    both tags). Intervals are percentile bootstraps over clusters; the p value lets clusters change groups at random.
    A group with one cluster has estimates, but no interval and no p value.
    """
    kinds = Kinds.of_two(first, second, first_clusters, second_clusters)
    number = kinds.clusters_per_group
    if 0 in number:
        nothing = Estimate.undefined(NO_VALUES)
        return Comparison(nothing, nothing, nothing, math.nan, number)
    if min(number) < 2:
        alone = [Estimate(_once(kinds, statistic), NOWHERE, ONE_CLUSTER) for statistic in _STATISTICS]
        return Comparison(alone[0], alone[1], _or_no_spread(alone[2]), math.nan, number)
    drawn = kinds.resampled(rng, resamples)
    found = [
        Estimate(_once(kinds, statistic), percentile_interval(statistic(kinds.values, drawn), confidence))
        for statistic in _STATISTICS
    ]
    p_value = kinds.permutation_p(rng, permutations)
    return Comparison(found[0], found[1], _or_no_spread(found[2]), p_value, number)


def compare_pairs(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    permutations: int = 10_000,
    confidence: float = 0.95,
) -> PairedComparison:
    """Compare two methods on the same items: ``first[n]`` and ``second[n]`` are item n's values, shape (N,).

    ``clusters`` name each item's cluster, such as its image. The interval is the percentile bootstrap over clusters;
    the p value swaps the two methods in whole clusters. One cluster has a difference, but no interval and no p value.
    """
    differences, labels = _paired(first, second, clusters)
    better, worse = int(np.count_nonzero(differences > 0)), int(np.count_nonzero(differences < 0))
    pairs, number = len(differences), int(labels.max(initial=-1)) + 1
    if not pairs:
        return PairedComparison(Estimate.undefined(NO_PAIRS), math.nan, 0, 0, 0, 0, 0)
    reason = ONE_CLUSTER if number < 2 else ""
    interval = bootstrap_mean(differences, labels, rng=rng, resamples=resamples, confidence=confidence)
    p_value = math.nan if reason else _sign_flip_p(differences, labels, rng, permutations)
    estimate = Estimate(float(differences.mean()), interval, reason)
    return PairedComparison(estimate, p_value, pairs, number, better, pairs - better - worse, worse)


def compare_proportions(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    first_clusters: npt.ArrayLike | None = None,
    second_clusters: npt.ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    permutations: int = 10_000,
    confidence: float = 0.95,
) -> ProportionComparison:
    """Compare the shares of True (or 1) in two groups of values in clusters, such as the images of a noun pair.

    A cluster belongs to one group: a label that occurs in both is refused. A group with one cluster has its share,
    but the difference has no interval and no p value.
    """
    check_confidence(confidence)
    kinds = Kinds.of_two(first, second, first_clusters, second_clusters)
    _check_shares(kinds)
    number = kinds.clusters_per_group
    if 0 in number:
        nothing, nowhere = Estimate.undefined(NO_VALUES), (math.nan, math.nan)
        return ProportionComparison(nowhere, nothing, math.nan, math.nan, math.nan, nowhere, number)
    one, two = _Group.of(kinds, 0), _Group.of(kinds, 1)
    shares, effects, gap = (one.share, two.share), (one.effect, two.effect), one.share - two.share
    reason = ONE_CLUSTER if min(number) < 2 else NO_SPREAD if one.variance + two.variance <= 0 else ""
    if reason:
        alone = Estimate(gap, NOWHERE, reason)
        return ProportionComparison(shares, alone, math.nan, math.nan, math.nan, effects, number)
    variance = one.variance + two.variance
    df = satterthwaite((one.variance, two.variance), [clusters - 1 for clusters in number])
    half = t_quantile((1 + confidence) / 2, df) * math.sqrt(variance)
    estimate, chi_squared = Estimate(gap, Interval(gap - half, gap + half)), gap**2 / variance
    p_value, p_rao_scott = kinds.permutation_p(rng, permutations), two_sided(math.sqrt(chi_squared))
    return ProportionComparison(shares, estimate, p_value, chi_squared, p_rao_scott, effects, number)


def cliffs_delta(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """P(first > second) - P(first < second), in [-1, 1]; NaN when a group is empty."""
    kinds = Kinds.of_two(first, second)
    return math.nan if 0 in kinds.clusters_per_group else _once(kinds, _cliffs_deltas)


def hedges_g(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Difference of means in pooled standard deviations, times 1 - 3 / (4 (n1 + n2 - 2) - 1).

    NaN when a group is empty, or all values of each are equal, or there are fewer than three values.
    """
    kinds = Kinds.of_two(first, second)
    return math.nan if 0 in kinds.clusters_per_group else _once(kinds, _hedges_gs)


def _mean_differences(values: Floats, totals: Floats) -> Floats:
    """First mean minus second, (B,), from totals (B, 2, V); NaN where a group is empty."""
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (totals @ values) / totals.sum(axis=2)
    return np.asarray(means[:, 0] - means[:, 1])


def _cliffs_deltas(values: Floats, totals: Floats) -> Floats:
    """Cliff's delta, (B,), from totals (B, 2, V); NaN where a group is empty."""
    first, second = totals[:, 0], totals[:, 1]
    up_to = np.cumsum(second, axis=1)
    size = up_to[:, -1:]
    wins = (first * (2 * up_to - second - size)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(wins / (first.sum(axis=1) * size[:, 0]))


def _hedges_gs(values: Floats, totals: Floats) -> Floats:
    """Hedges' g, (B,), from totals (B, 2, V); NaN where it is undefined."""
    sizes = totals.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (totals @ values) / sizes
        squares = (totals * (values - means[:, :, np.newaxis]) ** 2).sum(axis=(1, 2))
        df = sizes.sum(axis=1) - 2
        spread = np.sqrt(squares / df)
        correction = 1 - 3 / (4 * df - 1)
        return np.where(squares > 0, correction * (means[:, 0] - means[:, 1]) / spread, np.nan)


_STATISTICS: tuple[Callable[[Floats, Floats], Floats], ...] = (_mean_differences, _cliffs_deltas, _hedges_gs)


def _once(kinds: Kinds, statistic: Callable[[Floats, Floats], Floats]) -> float:
    return float(statistic(kinds.values, kinds.totals)[0])


def _or_no_spread(estimate: Estimate) -> Estimate:
    return Estimate.undefined(NO_SPREAD) if math.isnan(estimate.value) else estimate


def _paired(first: npt.ArrayLike, second: npt.ArrayLike, clusters: npt.ArrayLike | None) -> tuple[Floats, Integers]:
    """The pairs' differences, and the number of each one's cluster."""
    one, two = column(first, "first"), column(second, "second")
    if one.shape != two.shape:
        raise AnalysisError(f"first has {len(one)} values and second {len(two)}: give both values of each item.")
    labels = np.arange(len(one)) if clusters is None else numbered(clusters, len(one), "clusters")[1]
    return one - two, labels.astype(np.int64)


def _sign_flip_p(differences: Floats, labels: Integers, rng: np.random.Generator, permutations: int) -> float:
    """Two-sided p value of a mean of 0: under it, the sign of each cluster's sum is a coin's."""
    sums = np.bincount(labels, weights=differences)
    sizes, number = np.unique(np.round(np.abs(sums), 9), return_counts=True)
    observed, extreme = abs(float(sums.sum())), 0
    for size in blocks_of(permutations, len(sizes)):
        positive = rng.binomial(number, 0.5, size=(size, len(number)))
        extreme += int(np.count_nonzero(np.abs((2 * positive - number) @ sizes) >= observed - 1e-6))
    return (extreme + 1) / (permutations + 1)


@dataclass(frozen=True)
class _Group:
    """A share with its cluster-robust variance (NaN with one cluster) and its design effect."""

    share: float
    variance: float
    effect: float

    @classmethod
    def of(cls, kinds: Kinds, group: int) -> _Group:
        right, sizes = kinds.counts[:, group] @ kinds.values, kinds.counts[:, group].sum(axis=1)
        total, clusters = int(kinds.number @ sizes), kinds.clusters_per_group[group]
        share = float(kinds.number @ right) / total
        spread = float(kinds.number @ (right - share * sizes) ** 2) / total**2
        variance = spread * clusters / (clusters - 1) if clusters > 1 else math.nan
        binomial = share * (1 - share) / total
        # A share of 0 or 1 varies neither within clusters nor between them: its counts stay as they are.
        return cls(share, variance, variance / binomial if binomial > 0 else 1.0)


def _check_shares(kinds: Kinds) -> None:
    odd = [float(value) for value in kinds.values if value not in (0.0, 1.0)]
    if odd:
        raise AnalysisError(f"value {odd[0]:g} is neither 0 nor 1: a share is of yes-or-no values.")
    if kinds.shared.any():
        raise AnalysisError("a cluster occurs in both groups: name clusters so that each belongs to one group.")
