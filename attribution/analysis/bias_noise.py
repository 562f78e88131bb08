"""Scores of items from raters who differ in severity and in care.

A rating is the item's quality + the rater's bias + noise, the noise with a variance of the rater's own. The model is
that of Z. Li, C. G. Bampis, L. Janowski and I. Katsavounidis, "A Simple Model for Subject Behavior in Subjective
Experiments", Human Vision and Electronic Imaging 2020 (arXiv 2004.02067), but with qualities and biases drawn from
normal distributions, because an item here has few ratings: a rater's noise could else run to zero by believing that
rater alone. It is fitted as a linear mixed model by EM (N. M. Laird and J. H. Ware, 1982, Biometrics 38:963). Each step
solves for all biases and the mean at once, the qualities integrated out, so standard errors include what is not known
of the raters.

What identifies it: a constant added to all biases and taken from all qualities changes no rating, so biases are counted
from an average of 0, and the mean quality has the rest. Raters are compared through the items that they share, directly
or in a chain; parts of the study that share no item and no rater (``components``) are compared by that average alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.analysis.alpha import Floats, Integers
from attribution.analysis.ratings import Ratings
from attribution.errors import AnalysisError

# A matrix of raters by raters is solved in each step: 200 MB at this many.
MOST_RATERS = 5000


@dataclass(frozen=True)
class BiasAndNoise:
    """The fitted model; items and raters are those of ``items`` and ``raters``, in ascending order.

    ``scores`` (I,) with ``standard_errors`` (I,): an item's quality, drawn towards ``mean`` the more, the less is known
    of it. ``biases`` (R,) with ``bias_errors`` (R,): how much higher a rater rates than the average rater. ``noises``
    (R,): standard deviations of the raters' noise. ``item_deviation`` and ``bias_deviation``: of the distributions that
    qualities and biases are drawn from. ``components``: parts of the study that share neither items nor raters.
    ``likelihoods``: the (restricted, penalised) log-likelihood after each step, never falling. ``converged`` is False
    when the steps ran out first. ``reason`` says why nothing was fitted, and then all numbers are NaN; else "".
    """

    items: npt.NDArray[np.generic]
    raters: npt.NDArray[np.generic]
    scores: Floats
    standard_errors: Floats
    biases: Floats
    bias_errors: Floats
    noises: Floats
    mean: float
    item_deviation: float
    bias_deviation: float
    components: int
    likelihoods: tuple[float, ...]
    converged: bool
    reason: str = ""


def bias_and_noise(
    items: npt.ArrayLike,
    raters: npt.ArrayLike,
    ratings: npt.ArrayLike,
    *,
    shrinkage: float = 10.0,
    tolerance: float = 1e-9,
    steps: int = 2000,
) -> BiasAndNoise:
    """Fit the model to ``ratings[n]`` by ``raters[n]`` of ``items[n]``, (N,) each; no rater rates an item twice.

    ``shrinkage``: how many ratings the noise that all raters have in common counts for in each rater's own. Stops when
    a step raises the log-likelihood by less than ``tolerance`` of one plus its size.
    """
    table = Ratings.of(items, raters, ratings)
    if not shrinkage > 0:
        raise AnalysisError(f"shrinkage is {shrinkage!r}: give a positive number of ratings.")
    if table.raters > MOST_RATERS:
        raise AnalysisError(f"{table.raters} raters: at most {MOST_RATERS} are solved for at once.")
    reason = _undefined(table)
    if reason:
        return _nothing(table, reason)
    pairs, history = _Pairs.of(table), []
    variances = _Variances.start(table)
    while True:
        found = _expect(table, pairs, variances)
        history.append(found.likelihood - variances.penalty(shrinkage))
        converged = len(history) > 1 and history[-1] - history[-2] <= tolerance * (1 + abs(history[-1]))
        if converged or len(history) >= steps:
            return _result(table, variances, found, tuple(history), bool(converged))
        variances = variances.maximised(table, found, shrinkage)


@dataclass(frozen=True)
class _Variances:
    """Of the items' qualities, of the raters' biases, of each rater's noise (R,), and what the noises are drawn to."""

    of_items: float
    of_biases: float
    noise: Floats
    common: float

    @classmethod
    def start(cls, table: Ratings) -> _Variances:
        half = float(table.values.var()) / 2
        return cls(half, half / 5, np.full(table.raters, half), half)

    def penalty(self, shrinkage: float) -> float:
        """Minus the log density of the noises given the common one, a scaled inverse chi-squared, up to a constant."""
        ratio = self.common / self.noise
        return float((ratio - np.log(ratio)).sum() * shrinkage / 2)

    def maximised(self, table: Ratings, found: _Expected, shrinkage: float) -> _Variances:
        """The variances under which what was found is likeliest."""
        squares = np.bincount(table.rater, found.squared_noise, table.raters)
        noise = (squares + shrinkage * self.common) / (table.per_rater + shrinkage)
        common = len(noise) / float((1 / noise).sum())
        return _Variances(float(found.squared_quality.mean()), float(found.squared_bias.mean()), noise, common)


@dataclass(frozen=True)
class _Pairs:
    """All ordered pairs of ratings of one item: ``first`` and ``second`` are places of ratings, (P,) each."""

    first: Integers
    second: Integers
    cell: Integers

    @classmethod
    def of(cls, table: Ratings) -> _Pairs:
        order = np.argsort(table.item, kind="stable")
        sizes = table.per_item[table.item[order]]
        starts = (np.cumsum(table.per_item) - table.per_item)[table.item[order]]
        first = np.repeat(np.arange(len(order)), sizes)
        within = np.arange(len(first)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        second = np.repeat(starts, sizes) + within
        first, second = order[first], order[second]
        return cls(first, second, table.rater[first] * table.raters + table.rater[second])


@dataclass(frozen=True)
class _Expected:
    """What the ratings say under given variances: means, variances and expected squares."""

    quality: Floats
    quality_variance: Floats
    bias: Floats
    bias_variance: Floats
    mean: float
    squared_quality: Floats
    squared_bias: Floats
    squared_noise: Floats
    likelihood: float


@dataclass(frozen=True)
class _Weights:
    """Precisions: of ``each`` rating (N,), and in ``total`` of an item's ratings (I,).

    ``pull`` (I,): the variance of a quality given biases and mean, by which it gives way to its weighted residuals.
    """

    each: Floats
    total: Floats
    pull: Floats

    @classmethod
    def of(cls, table: Ratings, variances: _Variances) -> _Weights:
        each = (1 / variances.noise)[table.rater]
        total = np.asarray(np.bincount(table.item, each, table.items), dtype=np.float64)
        return cls(each, total, 1 / (1 / variances.of_items + total))


def _expect(table: Ratings, pairs: _Pairs, variances: _Variances) -> _Expected:
    """Solve for biases and mean with the qualities integrated out, and from them for qualities and noise."""
    weights = _Weights.of(table, variances)
    precision, right, constant = _normal_equations(table, pairs, variances, weights)
    covariance = np.asarray(np.linalg.inv(precision), dtype=np.float64)
    solution = covariance @ right
    bias, mean = solution[:-1], float(solution[-1])
    residual = table.values - bias[table.rater] - mean
    deviation = weights.pull * np.bincount(table.item, weights.each * residual, table.items)
    spread, of_quality, of_noise = _uncertainty(table, pairs, weights, covariance)
    determinants = np.log(variances.noise[table.rater]).sum() + np.log1p(variances.of_items * weights.total).sum()
    determinants += table.raters * math.log(variances.of_biases) + np.linalg.slogdet(precision)[1]
    own = np.diagonal(covariance)[:-1]
    return _Expected(
        quality=mean + deviation,
        quality_variance=of_quality,
        bias=bias,
        bias_variance=own,
        mean=mean,
        squared_quality=deviation**2 + spread,
        squared_bias=bias**2 + own,
        squared_noise=(residual - deviation[table.item]) ** 2 + of_noise,
        likelihood=-(float(determinants) + constant - float(right @ solution)) / 2,
    )


def _uncertainty(table: Ratings, pairs: _Pairs, weights: _Weights, covariance: Floats) -> tuple[Floats, Floats, Floats]:
    """Variances of the qualities' deviations from the mean (I,), of the qualities (I,) and of the noise (N,).

    ``toward`` (N,) and ``toward_mean`` (I,) are minus the covariances of an item's deviation with the bias of each of
    its raters, and with the mean.
    """
    item, rater, pull = table.item, table.rater, weights.pull
    last, own, of_mean = covariance[:-1, -1], np.diagonal(covariance)[:-1], float(covariance[-1, -1])
    between = covariance[:-1, :-1].ravel()[pairs.cell]
    shared = np.bincount(pairs.first, weights.each[pairs.second] * between, len(item))
    toward = pull[item] * (shared + weights.total[item] * last[rater])
    toward_mean = pull * (np.bincount(item, weights.each * last[rater], table.items) + weights.total * of_mean)
    moved = np.bincount(item, weights.each * toward, table.items) + weights.total * toward_mean
    spread = pull + pull * moved
    of_quality = spread - 2 * toward_mean + of_mean
    return spread, of_quality, of_quality[item] - 2 * toward + own[rater] + 2 * last[rater]


def _normal_equations(
    table: Ratings, pairs: _Pairs, variances: _Variances, weights: _Weights
) -> tuple[Floats, Floats, float]:
    """Precision (R + 1, R + 1) and right side (R + 1,) of biases and mean, and the ratings' own quadratic form."""
    item, rater, y, raters = table.item, table.rater, table.values, table.raters
    weighted = np.bincount(item, weights.each * y, table.items)
    left_over = 1 - weights.pull * weights.total
    precision, right = np.empty((raters + 1, raters + 1)), np.empty(raters + 1)
    each = 1 / variances.noise
    shared = np.bincount(pairs.cell, weights.pull[item[pairs.first]], raters**2).reshape(raters, raters)
    precision[:-1, :-1] = -shared * np.outer(each, each)
    precision[:-1, :-1][np.diag_indices(raters)] += 1 / variances.of_biases + table.per_rater * each
    precision[-1, :-1] = precision[:-1, -1] = np.bincount(rater, weights.each * left_over[item], raters)
    precision[-1, -1] = weights.total @ left_over
    right[:-1] = np.bincount(rater, weights.each * (y - (weights.pull * weighted)[item]), raters)
    right[-1] = weighted @ left_over
    return precision, right, float(weights.each @ y**2 - weights.pull @ weighted**2)


def _result(
    table: Ratings, variances: _Variances, found: _Expected, history: tuple[float, ...], converged: bool
) -> BiasAndNoise:
    return BiasAndNoise(
        items=table.item_names,
        raters=table.rater_names,
        scores=found.quality,
        standard_errors=np.sqrt(found.quality_variance),
        biases=found.bias,
        bias_errors=np.sqrt(found.bias_variance),
        noises=np.sqrt(variances.noise),
        mean=found.mean,
        item_deviation=math.sqrt(variances.of_items),
        bias_deviation=math.sqrt(variances.of_biases),
        components=components(table),
        likelihoods=history,
        converged=converged,
    )


def components(table: Ratings) -> int:
    """How many parts the ratings fall into that share neither items nor raters."""
    label = np.arange(table.items)
    while True:
        of_rater = np.full(table.raters, table.items)
        np.minimum.at(of_rater, table.rater, label[table.item])
        lowest = label.copy()
        np.minimum.at(lowest, table.item, of_rater[table.rater])
        if np.array_equal(lowest, label):
            return len(np.unique(label))
        label = lowest


def _undefined(table: Ratings) -> str:
    """Why qualities, biases and noise cannot be told apart, or ""."""
    if not len(table.values):
        return "no ratings"
    if len(table.values) == table.items:
        return "no item has two raters"
    return "all ratings equal" if np.ptp(table.values) == 0 else ""


def _nothing(table: Ratings, reason: str) -> BiasAndNoise:
    of_items, of_raters, nan = np.full(table.items, np.nan), np.full(table.raters, np.nan), math.nan
    return BiasAndNoise(
        items=table.item_names,
        raters=table.rater_names,
        scores=of_items,
        standard_errors=of_items,
        biases=of_raters,
        bias_errors=of_raters,
        noises=of_raters,
        mean=nan,
        item_deviation=nan,
        bias_deviation=nan,
        components=components(table) if table.items else 0,
        likelihoods=(),
        converged=False,
        reason=reason,
    )
