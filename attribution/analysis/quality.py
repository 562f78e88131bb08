"""How each rater did: agreement with the others, patterns, pace and shares. Read them together: none is grounds alone.

Every measure is a few passes over the ratings, whatever the number of raters. Arrays have one entry a rater, in the
ascending order of the raters' names; NaN where a rater's answers leave a number undefined.

Sources: V. C. Raykar and S. Yu, "Ranking Annotators for Crowdsourced Labeling Tasks", NIPS 2011, and "Eliminating
Spammers and Ranking Annotators for Crowdsourced Labeling Tasks" (2012), Journal of Machine Learning Research 13:491
(spammer score); M. Laakso and R. Taagepera (1979), Comparative Political Studies 12:3 (effective number).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.analysis.alpha import Floats, Integers, Level, distinct_rows, squared_distances
from attribution.analysis.intervals import Estimate, wilson
from attribution.analysis.kinds import column, numbered
from attribution.analysis.ratings import Ratings
from attribution.errors import AnalysisError

# Fewer items in common with others say nothing of a correlation.
FEWEST_COMPARED = 3
_BLOCK = 4_000_000
_LARGEST = 100_000_000


@dataclass(frozen=True)
class RaterQuality:
    """One entry a rater, (R,) each, in the order of ``raters``; the last three are of the study.

    ``given``: ratings; ``shares``: of all ratings. ``correlation`` with the others, over ``compared`` items.
    ``alpha_without`` the rater, and ``alpha_change``: that minus ``alpha`` of all ratings, so a rater who is at odds
    with the others has a positive one. ``longest_run`` of equal ratings; ``entropy`` of the ratings in bits.
    """

    raters: npt.NDArray[np.generic]
    given: Integers
    shares: Floats
    correlation: Floats
    compared: Integers
    alpha_without: Floats
    alpha_change: Floats
    longest_run: Integers
    entropy: Floats
    alpha: float
    largest_share: float
    effective_raters: float


@dataclass(frozen=True)
class Pace:
    """One entry a rater, (R,) each: answers with a time, their median seconds, and the share quicker than the bound."""

    raters: npt.NDArray[np.generic]
    timed: Integers
    median_seconds: Floats
    quick_share: Floats


def rater_quality(
    items: npt.ArrayLike,
    raters: npt.ArrayLike,
    ratings: npt.ArrayLike,
    *,
    level: Level | Floats = "ordinal",
    categories: npt.ArrayLike | None = None,
    order: npt.ArrayLike | None = None,
) -> RaterQuality:
    """Every measure of ``ratings[n]`` by ``raters[n]`` of ``items[n]``, (N,) each; no rater rates an item twice.

    ``level`` is alpha's: a name, or a matrix of distances between the ``categories`` (ascending; without them the
    values that occur). ``order[n]`` (a number or a time) sorts each rater's answers for the runs; without it they
    stand in order.
    """
    table = Ratings.of(items, raters, ratings)
    if not len(table.values):
        raise AnalysisError("no ratings: there are no raters to describe.")
    correlation, compared = leave_one_out_correlation(table)
    alpha, without = alpha_without_each(table, level, categories)
    shares = table.per_rater / len(table.values)
    return RaterQuality(
        raters=table.rater_names,
        given=table.per_rater,
        shares=shares,
        correlation=correlation,
        compared=compared,
        alpha_without=without,
        alpha_change=without - alpha,
        longest_run=longest_runs(table, order),
        entropy=answer_entropy(table),
        alpha=alpha,
        largest_share=float(shares.max()),
        effective_raters=effective_raters(table.per_rater),
    )


def leave_one_out_correlation(table: Ratings) -> tuple[Floats, Integers]:
    """Pearson's correlation of each rater's ratings with the mean of the others' on the same items, and on how many.

    Both (R,). Items without another rating are left out. NaN with fewer than three items, or where either side never
    varies.
    """
    others = table.per_item[table.item] - 1
    kept = others > 0
    sums = np.bincount(table.item, weights=table.values, minlength=table.items)
    own, rater = table.values[kept], table.rater[kept]
    rest = (sums[table.item[kept]] - own) / others[kept]
    compared = np.bincount(rater, minlength=table.raters)
    own, rest = (side - _means(side, rater, compared)[rater] for side in (own, rest))
    joint, left, right = (np.bincount(rater, weights=w, minlength=table.raters) for w in (own * rest, own**2, rest**2))
    varies = (compared >= FEWEST_COMPARED) & (left > 1e-12) & (right > 1e-12)
    # With nothing in common bincount gives integers, which cannot take a root.
    root = np.sqrt(left * right, out=np.ones(table.raters), where=varies)
    return np.where(varies, np.clip(joint / root, -1.0, 1.0), np.nan), compared


def alpha_without_each(
    table: Ratings, level: Level | Floats = "ordinal", categories: npt.ArrayLike | None = None
) -> tuple[float, Floats]:
    """Krippendorff's alpha of all ratings, and without each rater's, (R,); NaN where undefined.

    Taking a rating away changes the coincidences of its own item only, and by what depends on the item's count pattern
    and the rating alone. So the changes are worked out once per pattern and value, and summed per rater: the results
    are those of computing alpha anew, at no more than a pass over the ratings.
    """
    values, code = _coded(table.values, categories)
    width = len(values)
    counts = np.bincount(table.item * width + code, minlength=table.items * width).reshape(table.items, width)
    patterns, pattern = distinct_rows(counts)
    if len(patterns) * width**2 > _LARGEST:
        raise AnalysisError(f"ratings have {width} different values: leaving raters out is for ratings on a scale.")
    # The distinct pairs of a pattern and a value taken away from it.
    taken, pair = np.unique(pattern[table.item] * width + code, return_inverse=True)
    before = patterns[taken // width]
    after = before - np.eye(width, dtype=np.int64)[taken % width]
    coincidences = _coincidences(patterns) * np.bincount(pattern, minlength=len(patterns))[:, np.newaxis]
    whole = coincidences.sum(axis=0)
    lost = _summed(_coincidences(after) - _coincidences(before), table.rater, pair, table.raters)
    alphas = _alphas(np.concatenate([whole[np.newaxis], whole + lost]).reshape(-1, width, width), values, level)
    return float(alphas[0]), alphas[1:]


def longest_runs(table: Ratings, order: npt.ArrayLike | None = None) -> Integers:
    """The most equal ratings in a row of each rater, (R,); ``order`` (N,) sorts a rater's answers, else the rows do."""
    when = np.arange(len(table.values)) if order is None else np.asarray(order)
    if when.shape != table.values.shape:
        raise AnalysisError(f"order has shape {when.shape}: give a number or time for each of the {len(table.values)}.")
    by_rater = np.lexsort((when, table.rater))
    rater, values = table.rater[by_rater], table.values[by_rater]
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(rater) != 0) | (np.diff(values) != 0)]))[: len(values)]
    runs = np.zeros(table.raters, dtype=np.int64)
    np.maximum.at(runs, rater[starts], np.diff(np.append(starts, len(values))))
    return runs


def answer_entropy(table: Ratings) -> Floats:
    """Shannon's entropy of each rater's ratings in bits, (R,): 0 where all are equal, log2(5) for five used alike."""
    _, code = np.unique(table.values, return_inverse=True)
    width = int(code.max(initial=0)) + 1
    counts = np.bincount(table.rater * width + code, minlength=table.raters * width).reshape(table.raters, width)
    shares = counts / counts.sum(axis=1, keepdims=True)
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(np.abs((shares * logs).sum(axis=1)))


def pace(raters: npt.ArrayLike, seconds: npt.ArrayLike, *, quick: float) -> Pace:
    """Median seconds of each rater's answers, and the share of them that took less than ``quick`` seconds.

    ``seconds`` (N,) is NaN where the time is not known; such answers are left out. NaN for a rater without times.
    """
    times = np.asarray(seconds, dtype=np.float64)
    if times.ndim != 1 or np.any(times < 0):
        raise AnalysisError("seconds are not one column of numbers of at least 0, or NaN where unknown.")
    names, rater = numbered(raters, len(times), "raters")
    known = ~np.isnan(times)
    order = np.lexsort((times[known], rater[known]))
    sorted_times, timed = times[known][order], np.bincount(rater[known], minlength=len(names))
    first = np.cumsum(timed) - timed
    quick_ones = np.bincount(rater[known], weights=times[known] < quick, minlength=len(names))
    medians, shares = np.full(len(names), np.nan), np.full(len(names), np.nan)
    some = timed > 0
    low, high = (first + (timed - 1) // 2)[some], (first + timed // 2)[some]
    medians[some] = (sorted_times[low] + sorted_times[high]) / 2
    shares[some] = quick_ones[some] / timed[some]
    return Pace(names, timed, medians, shares)


def pass_rate(passed: int, total: int, confidence: float = 0.95) -> Estimate:
    """The share of checks passed, with Wilson's interval; undefined for a rater who met none."""
    interval = wilson(passed, total, confidence)
    return Estimate(passed / total, interval) if total else Estimate.undefined("no checks")


def effective_raters(given: npt.ArrayLike) -> float:
    """How many raters with equal shares would be as spread out: 1 / sum of squared shares of ``given`` (R,) answers."""
    numbers = column(given, "given")
    if not numbers.sum() > 0 or np.any(numbers < 0):
        raise AnalysisError(f"given adds up to {numbers.sum():g}: give how many answers each rater gave.")
    return float(numbers.sum() ** 2 / (numbers**2).sum())


def spammer_scores(confusion: npt.ArrayLike) -> Floats:
    """Raykar and Yu's score of each rater, (R,): 0 who answers without looking at the item, 1 who never errs.

    ``confusion`` (R, K, K) is how often a rater gives the answer of the last axis where that of the middle one is true,
    as in :attr:`~attribution.analysis.latent.LatentClasses.confusion`. A score is the mean over pairs of true classes
    of half the squared distance of their rows. Rows of NaN (a class the rater never met) are left out; NaN where fewer
    than two are left. A rater who always takes one class for another also scores 1: such answers can be undone.
    """
    rows = np.asarray(confusion, dtype=np.float64)
    if rows.ndim != 3 or rows.shape[1] != rows.shape[2]:
        raise AnalysisError(f"confusion has shape {rows.shape}: give raters x true class x answer.")
    apart = ((rows[:, :, np.newaxis] - rows[:, np.newaxis]) ** 2).sum(axis=3) / 2
    one, two = np.triu_indices(rows.shape[1], k=1)
    pairs = apart[:, one, two]
    known = ~np.isnan(pairs)
    number = known.sum(axis=1)
    sums = np.where(known, pairs, 0.0).sum(axis=1)
    return np.where(number > 0, sums / np.maximum(number, 1), np.nan)


def _means(values: Floats, group: Integers, sizes: Integers) -> Floats:
    return np.asarray(np.bincount(group, weights=values, minlength=len(sizes)) / np.maximum(sizes, 1))


def _coded(ratings: Floats, categories: npt.ArrayLike | None) -> tuple[Floats, Integers]:
    """The scale's values, ascending, and the place of each rating on it."""
    if categories is None:
        values, code = np.unique(ratings, return_inverse=True)
        return (values, code) if len(values) else (np.zeros(1), code)
    scale = np.unique(column(categories, "categories"))
    code = np.searchsorted(scale, ratings).clip(max=len(scale) - 1)
    strangers = ratings[scale[code] != ratings]
    if len(strangers):
        raise AnalysisError(f"rating {strangers[0]:g} is not one of the categories {scale.tolist()}.")
    return scale, code


def _coincidences(counts: Integers) -> Floats:
    """Each unit's ordered pairs of values over its ratings less one, (P, V * V); 0 with fewer than two ratings."""
    size = counts.sum(axis=1)
    pairs = (counts[:, :, np.newaxis] * counts[:, np.newaxis, :]).astype(np.float64)
    at = np.arange(counts.shape[1])
    pairs[:, at, at] -= counts
    return np.asarray((pairs / np.maximum(size - 1, 1)[:, np.newaxis, np.newaxis]).reshape(len(counts), -1))


def _summed(changes: Floats, rater: Integers, pair: Integers, raters: int) -> Floats:
    """The sum of each rater's changes, (R, V * V), a few pairs of pattern and value at a time."""
    number, sums = len(changes), np.zeros((raters, changes.shape[1]))
    step = max(1, _BLOCK // max(1, raters))
    order = np.argsort(pair, kind="stable")
    ends = np.searchsorted(pair[order], np.arange(0, number + step, step))
    for block, (start, stop) in enumerate(itertools.pairwise(ends)):
        here = order[start:stop]
        first, width = block * step, min(step, number - block * step)
        often = np.bincount(rater[here] * width + pair[here] - first, minlength=raters * width)
        sums += often.reshape(raters, width) @ changes[first : first + width]
    return sums


def _alphas(coincidences: Floats, values: Floats, level: Level | Floats) -> Floats:
    """Alpha of matrices of coincidences (B, V, V); NaN where they hold no pair, or one value."""
    # Each row adds up to how many paired ratings have its value: whole, but for the rounding of thirds.
    totals = np.rint(coincidences.sum(axis=2))
    n = totals.sum(axis=1)
    distances = squared_distances(values, totals, level)
    observed = (coincidences * distances).sum(axis=(1, 2))
    expected = (totals[:, :, np.newaxis] * totals[:, np.newaxis, :] * distances).sum(axis=(1, 2))
    defined = (np.count_nonzero(totals, axis=1) > 1) & (expected > 0)
    return np.where(defined, 1 - (n - 1) * observed / np.where(defined, expected, 1.0), np.nan)
